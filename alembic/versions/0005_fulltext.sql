-- Full text without stop words: one configuration a language, as PostgreSQL's own but that every
-- word is kept. A phrase is then found as it was said, and a message whose language was mistaken
-- loses no word because it is a common one in that language.

CREATE SCHEMA fulltext;
GRANT USAGE ON SCHEMA fulltext TO chatledger_app;
CREATE TEXT SEARCH CONFIGURATION fulltext.simple (COPY = pg_catalog.simple);
DO $$
DECLARE
    languages text[] := ARRAY[
        'english', 'arabic', 'armenian', 'basque', 'catalan', 'danish', 'dutch', 'finnish',
        'french', 'german', 'greek', 'hindi', 'hungarian', 'indonesian', 'irish', 'italian',
        'lithuanian', 'nepali', 'norwegian', 'portuguese', 'romanian', 'russian', 'serbian',
        'spanish', 'swedish', 'tamil', 'turkish', 'yiddish'
    ];
    language text;
    ascii_language text;
BEGIN
    FOREACH language IN ARRAY languages LOOP
        EXECUTE format(
            'CREATE TEXT SEARCH DICTIONARY fulltext.%1$I (TEMPLATE = pg_catalog.snowball, LANGUAGE = %1$I)',
            language
        );
        EXECUTE format('CREATE TEXT SEARCH CONFIGURATION fulltext.%1$I (COPY = pg_catalog.%1$I)', language);
        -- Words of ASCII letters in another alphabet's text are taken for English ones.
        SELECT CASE d.dictname WHEN 'english_stem' THEN 'english' ELSE language END
        INTO STRICT ascii_language
        FROM pg_ts_config AS c
        JOIN pg_ts_config_map AS m ON m.mapcfg = c.oid
        JOIN pg_ts_dict AS d ON d.oid = m.mapdict
        WHERE c.cfgnamespace = 'pg_catalog'::regnamespace AND c.cfgname = language
          AND m.maptokentype = 1 AND m.mapseqno = 1;
        EXECUTE format(
            'ALTER TEXT SEARCH CONFIGURATION fulltext.%I ALTER MAPPING '
            'FOR asciiword, asciihword, hword_asciipart WITH fulltext.%I',
            language, ascii_language
        );
        EXECUTE format(
            'ALTER TEXT SEARCH CONFIGURATION fulltext.%1$I ALTER MAPPING '
            'FOR word, hword, hword_part WITH fulltext.%1$I',
            language
        );
    END LOOP;
END
$$;

"""
What WhatsApp writes in place of media, in the languages of its apps.

Android leaves one phrase for all media, the iPhone one for each kind. Several versions of the
apps, and so several phrases of one language, are in use.
"""

from __future__ import annotations

import unicodedata

from infrastructure.readers.whatsapp.marks import without_marks

# Kind -> phrases. The kind is the name of the attachment, in whatever language the phone is.
_OMITTED: dict[str, tuple[str, ...]] = {
    "media": (
        *("Media omitted", "Media weggelaat", "تم استبعاد الوسائط", "Media buraxıldı"),
        *("Media çıxarılmışdır", "Без файл", "মিডিয়া বাদ দেওয়া হয়েছে", "Mitjans omesos"),
        *("Fitxers multimèdia omesos", "Média vynechány", "Média vynechána", "Medier udeladt"),
        *("Mediefil udeladt", "Mediefilen er udeladt", "Medien ausgeschlossen"),
        *("Medien weggelassen", "Αρχείο παραλήφθηκε", "Εξαίρεση πολυμέσων"),
        *("Multimedia omitido", "Archivo omitido", "Meedia välja jäetud", "Meedia ära jäetud"),
        *("رسانه حذف شد", "پيوست نما/آهنگ حذف شد", "Media jätettiin pois", "Media jätetty pois"),
        *("Médias omis", "Fichier omis", "મિડિયા છોડી મૂકાયું", "મીડિયા અવગણવામાં આવ્યા"),
        *("મીડિયા અવગણાયું", "मीडिया के बिना", "Medijski zapis izostavljen", "Média elhagyva"),
        *("Hiányzó médiafájl", "Media tidak disertakan", "Media omessi", "Media omesso"),
        *("המדיה לא נכללה", "מדיה הושמטה", "メディアなし", "メディアは含まれていません"),
        *("Файлдар қосылмаған", "Файл қосылған жоқ", "ಮಾಧ್ಯಮ ಕೈಬಿಡಲಾಗಿದೆ", "ಮೀಡಿಯಾ ಕೈಬಿಡಲಾಗಿದೆ"),
        *("미디어 파일 제외됨", "미디어 파일을 생략한 대화내용", "미디어 파일을 제외한 메시지"),
        *("ບໍ່ລວມມີເດຍ", "Medija praleista", "Praleistas medijos turinys"),
        *("Nav iekļauta multivide", "Bez multivides", "Без фајлови", "Без фајл"),
        *("മീഡിയ ഒഴിവാക്കി", "मीडिया वगळण्यात आला", "मीडिया वगळले", "Media dikecualikan"),
        *("Media disingkirkan", "Media utelatt", "Medier utelatt", "Uten vedlegg"),
        *("Media weggelaten", "ਮੀਡੀਆ ਛੱਡਿਆ", "ਮੀਡੀਆ ਛਡਿਆ ਗਿਆ", "ਮੀਡੀਆ ਛੱਡਿਆ ਗਿਆ"),
        *("Pominięto multimedia", "Pliki pominięto", "Ficheiro não revelado", "Mídia omitida"),
        *("Mídia oculta", "Arquivo de mídia oculto", "Conținut media omis", "Без медиафайлов"),
        *("Файл пропущен", "Médiá vynechané", "Datoteke izpuščene", "Medij izpuščen"),
        *("Media u hoq", "Media hequr", "Pa media", "Медији су изостављени"),
        *("Media utelämnat", "Media har utelämnats", "Media hazijajumuishwa", "Media imerukwa"),
        *("கோப்புகள் விடப்பட்டன", "ஊடகங்கள் நீக்கப்பட்டது", "మీడియా విస్మరించబడింది"),
        *("మాధ్యమం విస్మరించబడింది", "ไฟล์สื่อถูกลบ", "สื่อถูกลบ", "Inalis ang media"),
        *("Walang kalakip na media", "Medya dahil edilmedi", "Medya atlanmış", "Медіа пропущено"),
        *("میڈیا چھوڑ دیا گیا", "میڈیا ہٹا دیا گیا", "Fayl o‘tkazib yuborildi"),
        *("Bỏ qua tệp phương tiện", "Bỏ qua Media", "忽略多媒體檔", "省略多媒体文件"),
        *("省略多媒體檔案",),
    ),
    "image": (
        *("image omitted", "התמונה הושמטה", "изображение отсутствует", "image absente"),
        *("immagine omessa", "imagem não revelada", "imagem ocultada", "imagem omitida"),
        *("imagen omitida", "εικόνα παραλείφθηκε", "зображення відсутнє", "Bild weggelassen"),
        *("لم يتم إدراج الصورة", "ইমেজ বাদ দেওয়া হয়েছে", "圖片已略去", "圖像已省略", "照片已忽略"),
        *("đã bỏ qua hình ảnh", "görüntü dahil edilmedi", "ไม่มีรูปภาพ", "bild utesluten"),
        *("obrázok vynechaný", "obraz pominięty", "imagine omisă", "afbeelding weggelaten"),
        *("bilde ikke inkludert", "imej tidak dimasukkan", "इमेज वगळली", "이미지 생략됨"),
        *("画像は含まれていません", "kép küldése sikertelen", "gambar tidak disertakan"),
        *("slika izostavljena", "फ़ोटो हटाई गई", "છબી પડતી મૂકાઈ", "íomhá ligthe ar lár", "ei kuvaa"),
        *("تصویر حذف شد", "تصویر نکال دی گئی ہے", "billede udeladt", "obrázek vynechán"),
        *("imatge omesa",),
    ),
    "video": (
        *("video omitted", "סרטון הווידאו הושמט", "видео отсутствует", "vidéo absente"),
        *("video omesso", "vídeo não revelado", "vídeo omitido", "video omitido"),
        *("βίντεο παραλείφθηκε", "відео відсутнє", "Video weggelassen", "لم يتم إدراج الفيديوهات"),
        *("ভিডিও বাদ দেওয়া হয়েছে", "影片已略去", "影片已省略", "视频已忽略", "đã bỏ video"),
        *("video dahil edilmedi", "วิดีโอถูกลบ", "video utesluten", "video vynechané"),
        *("wideo pominięte", "clip video omis", "video weggelaten", "video utelatt"),
        *("video tidak dimasukkan", "व्हिडीओ वगळला", "비디오 생략됨", "ビデオは含まれていません"),
        *("videó kihagyva", "video tidak disertakan", "video izostavljen", "वीडियो छोड़ा गया"),
        *("વિડિયો પડતી મુકાઈ", "físeán ligthe ar lár", "videota ei sisällytetä", "ویدیو حذف شد"),
        *("ویڈیو نظرانداز", "video udeladt", "video vynecháno", "vídeo omès"),
    ),
    "audio": (
        *("audio omitted", "קטע קול הושמט", "аудиофайл отсутствует", "audio omis"),
        *("audio omesso", "ficheiro de áudio não revelado", "áudio ocultado", "áudio omitido"),
        *("audio omitido", "ήχος παραλείφθηκε", "аудіо відсутнє", "Audio weggelassen"),
        *("لم يتم إدراج المقاطع الصوتية", "অডিও বাদ দেওয়া হয়েছে", "音訊已略去", "音訊已省略"),
        *("音频已忽略", "bỏ qua tệp âm thanh", "ses dahil edilmedi", "ไม่มีไฟล์เสียง"),
        *("ljud utelslutet", "ljud uteslutet", "zvuk vynechaný", "audio pominięte", "fără audio"),
        *("audio weggelaten", "lyd utelatt", "audio tidak dimasukkan", "ऑडिओ वगळला"),
        *("오디오 생략됨", "音声は含まれていません", "hang kihagyása", "audio tidak disertakan"),
        *("zvuk izostavljen", "ऑडियो हटाई गयी", "ઓડિયો ફાઇલ શામેલ કરી નથી", "comhad fuaime ar lár"),
        *("äänitiedostoa ei sisällytetä", "صدا حذف شد", "آڈیو نظرانداز", "lyd udeladt"),
        *("zvukový soubor vynechán", "àudio omès"),
    ),
    "GIF": (
        *("GIF omitted", "GIF הושמט", "GIF отсутствует", "GIF retiré", "GIF esclusa"),
        *("GIF não revelada", "GIF omitido", "Παράληψη GIF", "GIF-анімацію пропущено"),
        *("GIF weggelassen", "لم يتم إدراج صورة GIF", "জিআইএফ বাদ দেওয়া হয়েছে", "GIF 已略去"),
        *("GIF 圖片已被省略", "GIF 动态图已被忽略", "đã bỏ qua ảnh GIF", "GIF dahil edilmedi"),
        *("ละเว้น GIF", "GIF utesluten", "GIF vynechaný", "plik GIF pominięty", "GIF omis"),
        *("GIF weggelaten", "GIF utelatt", "GIF tidak dimasukkan", "GIF वगळले", "GIF 생략됨"),
        *("GIFは含まれていません", "GIF fájl kihagyása", "GIF tidak disertakan"),
        *("GIF izostavljen", "GIF छोड़ा गया", "GIF પડતી મૂકાઈ", "GIF ligthe ar lár"),
        *("GIF-animaatio jätetty pois", "GIF حذف شد", "GIF udeladt", "GIF vynechán", "GIF omès"),
    ),
    "sticker": (
        *("sticker omitted", "סטיקר הושמט", "стикер не добавлен", "sticker omis"),
        *("sticker non incluso", "sticker não revelado", "figurinha omitida"),
        *("sticker omitido", "αυτοκόλλητο παραλήφθηκε", "наклейку не додано"),
        *("Sticker weggelassen", "تم حذف الملصقات", "স্টিকার বাদ দেওয়া হয়েছে", "貼圖已略去"),
        *("貼圖已忽略", "贴图已省略", "đã bỏ sticker", "çıkartma dahil edilmedi"),
        *("ไม่มีสติกเกอร์", "sticker utesluten", "nálepka vynechaná", "pominięto naklejkę"),
        *("sticker weggelaten", "klistremerke utelatt", "pelekat tidak disertakan"),
        *("स्टिकर वगळले", "스티커 제외됨", "スタンプは含まれていません", "matrica kihagyva"),
        *("stiker tidak disertakan", "naljepnica izostavljena", "स्टिकर छोड़ा गया"),
        *("સ્ટીકર પડતું મુકાયું", "fágadh an greamán ar lár", "tarraa ei sisällytetty"),
        *("استیکر حذف شد", "اسٹیکر نظرانداز", "klistermærke udeladt", "nálepka vynechána"),
        *("adhesiu omès",),
    ),
    "document": (
        *("document omitted", "מסמך הושמט", "документ отсутствует", "document manquant"),
        *("documento omesso", "documento não revelado", "documento omitido"),
        *("έγγραφο παραλείφθηκε", "документ пропущено", "Dokument weggelassen"),
        *("لم يتم إدراج المستند", "ডকুমেন্ট বাদ দেওয়া হয়েছে", "文件已略去", "文件已忽略"),
        *("文档已省略", "đã bỏ qua tài liệu", "belge dahil edilmedi", "ละเว้นเอกสาร"),
        *("dokument uteslutet", "dokument vynechaný", "dokument pominięty", "document omis"),
        *("document weggelaten", "utelatt dokument", "dokumen tidak dimasukkan"),
        *("डॉक्युमेंट वगळले", "문서 생략됨", "ドキュメントは含まれていません"),
        *("dokumentum kihagyva", "dokumen tidak disertakan", "dokument izostavljen"),
        *("डॉक्यूमेंट छोड़ा गया", "ડોક્યુમેન્ટ સામેલ કર્યું નહિ", "cáipéis ligthe ar lár"),
        *("dokumenttia ei sisällytetä", "سند حذف شد", "دستاویز نظرانداز", "dokument udeladt"),
        *("dokument vynechán", "document omès"),
    ),
    "contact": (
        *("Contact card omitted", "כרטיס איש קשר הושמט", "карточка контакта отсутствует"),
        *("fiche contact manquante", "scheda contatto omessa", "contacto não revelado"),
        *("tarjeta de contacto omitida", "η κάρτα επαφής παραλήφθηκε", "картка контакту відсутня"),
        *("Kontaktkarte ausgelassen", "لم يتم إدراج بطاقة جهة اتصال", "聯絡人卡片已略去"),
        *("পরিচিতির কার্ড বাদ দেওয়া হয়েছে", "聯絡人卡片已省略", "联系人卡片已忽略"),
        *("bỏ qua thẻ liên lạc", "kişi kartı dahil edilmedi", "บัตรรายชื่อที่ละเว้น"),
        *("kontaktkort uteslutet", "karta kontaktu vynechaná", "pominięta wizytówka kontaktu"),
        *("carte de vizită contact omisă", "cartão do contato omitido"),
        *("visitekaartje weggelaten", "kontaktkort sløyfet", "kad kenalan tidak dimasukkan"),
        *("संपर्क कार्ड वगळले", "연락처 카드 생략됨", "連絡先カードを省略", "névjegykártya kihagyva"),
        *("kartu kontak tidak disertakan", "posjetnica izostavljena"),
        *("कॉन्टैक्ट कार्ड छोड़ा गया", "સંપર્કનું કાર્ડ પડતું મૂકાયું", "cárta teagmhála ar lár"),
        *("yhteystietokortti jätettiin pois", "برگ مخاطب حذف شد", "رابطہ کارڈ نظر انداز"),
        *("kontaktkort udeladt", "vizitka vynechána", "targeta de contacte omesa"),
    ),
}
# In round or pointed brackets after the name of a file that is in the archive.
_ATTACHED = (
    *("file attached", "attached", "الملف مرفق", "fayl əlavə olunub", "прикачен файл"),
    *("ফাইল সংযুক্ত হয়েছে", "arxiu adjunt", "soubor byl přiložen", "fil vedhæftet"),
    *("vedhæftet fil", "Datei angehängt", "angehängt", "συνημμένο αρχείο", "archivo adjunto"),
    *("archivo adjuntado", "adjunto", "fail lisatud", "liitetiedosto", "fichier joint"),
    *("ફાઇલ જોડાયેલ", "קובץ מצורף", "फाइल संलग्न", "फाइल अटैच कर दी गई है"),
    *("datoteka u privitku", "fájl csatolva", "file terlampir", "file allegato", "allegato"),
    *("添付ファイル有り", "ファイル添付", "қосымша файл", "ಕಡತ ಸೇರಿಸಲಾಯಿತು", "파일 첨부됨"),
    *("byla prisegta", "pievienots fails", "прикачен фајл", "ഫയൽ ചേർത്തു", "fail dilampirkan"),
    *("vedlagt fil", "bestand bijgevoegd", "bijgevoegd", "ਅਟੈਚ ਕੀਤੀ ਫਾਇਲ", "załączony plik"),
    *("plik załączony", "arquivo anexado", "ficheiro anexado", "anexado", "fișier atașat"),
    *("файл добавлен", "файл прикреплен", "súbor pripojený", "priložena datoteka"),
    *("skedë e ngjitur", "прикачена датотека", "bifogad fil", "faili limeambatanishwa"),
    *("ఫైల్ జోడించబడినది", "ไฟล์ที่แนบ", "nakalakip na file", "dosya ekli", "файл додано"),
    *("پیوستہ فائل", "fayl biriktirildi", "tệp đính kèm", "附件檔案", "文件附件", "lêer aangeheg"),
)


def comparable(phrase: str) -> str:
    """What is the same in all spellings of a phrase: no marks, no dot at the end, one case."""
    plain = without_marks(phrase).strip(" .。।۔").casefold()
    return plain if plain.isascii() else unicodedata.normalize("NFC", plain)


_KINDS = {comparable(phrase): kind for kind, phrases in _OMITTED.items() for phrase in phrases}
_ATTACHED_WORDS = frozenset(map(comparable, _ATTACHED))
OMITTED = frozenset(_KINDS)  # comparable phrases


def omitted_kind(phrase: str) -> str | None:
    """The kind of media in whose place a phrase stands."""
    return _KINDS.get(comparable(phrase))


def says_attached(word: str) -> bool:
    """Whether a word in brackets after a file's name says that the file is attached."""
    return comparable(word) in _ATTACHED_WORDS

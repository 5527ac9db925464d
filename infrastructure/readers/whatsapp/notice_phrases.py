"""What WhatsApp says of messages and chats, in the languages of its apps."""

from __future__ import annotations

import re

from infrastructure.readers.whatsapp.marks import MARKS
from infrastructure.readers.whatsapp.media_phrases import comparable


def _phrases(*texts: str) -> frozenset[str]:
    return frozenset(map(comparable, texts))


_DELETED = _phrases(
    *("This message was deleted", "הודעה זו נמחקה", "Данное сообщение удалено"),
    *("Ce message a été supprimé", "Questo messaggio è stato eliminato", "Mensagem apagada"),
    *("Esta mensagem foi apagada", "Se eliminó este mensaje", "Este mensaje fue eliminado"),
    *("Αυτό το μήνυμα διαγράφηκε", "Це повідомлення було видалено"),
    *("Diese Nachricht wurde gelöscht", "تم حذف هذه الرسالة", "এই মেসেজটি বাদ দেওয়া হয়েছে"),
    *("এই বার্তাটি মুছে ফেলা হয়েছে", "此訊息已刪除", "这条消息已被删除", "信息已删除"),
    *("Tin nhắn này đã bị xóa", "Tin nhắn này đã bị xoá", "یہ میسج حذف کر دیا گیا ہے"),
    *("یہ پیغام حذف کیا گیا", "Bu mesaj silindi", "ข้อความนี้ถูกลบแล้ว", "ข้อความนี้ได้ถูกลบ"),
    *("Det här meddelandet raderades", "Detta meddelande raderades"),
    *("Táto správa bola odstránená", "Ta wiadomość została usunięta", "Acest mesaj a fost șters"),
    *("Dit bericht is verwijderd", "Denne meldingen ble slettet", "Mesej ini telah dipadam"),
    *("हा मेसेज हटवण्यात आला", "हा संदेश हटविण्यात आला होता", "이 메시지는 삭제되었습니다"),
    *("このメッセージは削除されました", "Ez az üzenet törlésre került", "Pesan ini dihapus"),
    *("Pesan ini telah dihapus", "Ova je poruka izbrisana", "Ova poruka je izbrisana"),
    *("यह मैसेज डिलीट कर दिया गया है", "यह संदेश मिटाया गया", "આ મેસેજ ડિલીટ કરાયો", "આ સંદેશ રદ્દ કરાયો"),
    *("Scriosadh an teachtaireacht seo", "Tämä viesti poistettiin", "این پیام حذف شده است"),
    *("این پیام حذف شد", "Denne besked er blevet slettet", "Denne besked blev slettet"),
    *("Tato zpráva byla smazána", "Tato zpráva byla odstraněna"),
    *("Aquest missatge s'ha suprimit", "Aquest missatge està esborrat"),
    *("Itong mensahe ay binura na", "Šī ziņa tika izdzēsta", "Бұл хат жойылды"),
    *("Ushbu xabar o‘chirildi", "To sporočilo je bilo izbrisano", "Ujumbe huu ulifutwa"),
    *("இத்தகவல் திரும்பப்பெறப்பட்டது", "Ši žinutė buvo ištrinta", "See sõnum on kustutatud"),
    *("Съобщението беше изтрито", "Hierdie boodskap was uitgevee", "Bu ismarıc silindi"),
    *("ഈ സന്ദേശം ഇല്ലാതാക്കിയതാണ്", "Оваа порака беше избришана", "ಈ ಸಂದೇಶವು ಅಳಿಸಲ್ಪಟ್ಟಿದೆ"),
    *("Esta mensagem foi apagada pelo remetente", "Ова порука је обрисана"),
    *("ਇਸ ਸੁਨੇਹੇ ਨੂੰ ਹਟਾਇਆ ਗਿਆ",),
)
_DELETED_BY_ITS_AUTHOR = _phrases(
    *("You deleted this message", "You deleted this message as admin", "מחקת את ההודעה הזו"),
    *("מחקת הודעה זו", "Вы удалили это сообщение", "Вы удалили данное сообщение"),
    *("Vous avez supprimé ce message", "Hai eliminato questo messaggio", "Apagou esta mensagem"),
    *("Você apagou esta mensagem", "Eliminaste este mensaje", "Διαγράψατε αυτό το μήνυμα"),
    *("Διαγράψατε το μήνυμα", "Ви видалили це повідомлення"),
    *("Du hast diese Nachricht gelöscht", "لقد حذَفت هذه الرسالة", "أنت حذفت هذه الرسالة"),
    *("আপনি এই মেসেজটি বাদ দিয়েছেন", "আপনি এই বার্তাটি মুছে ফেলেছেন", "您已刪除此訊息"),
    *("您已删除这条消息", "您删除这个信息", "Bạn đã xóa tin nhắn này", "Bạn đã xoá tin nhắn này"),
    *("آپ نے یہ میسج حذف کر دیا ہے", "آپ نے اس پیغام کو حذف کیا", "Bu mesajı sildiniz"),
    *("คุณได้ลบข้อความนี้", "คุณลบข้อความนี้", "Du har tagit bort meddelandet"),
    *("Du raderade det här meddelandet", "Du raderade detta meddelande"),
    *("Túto správu ste odstránili", "Usunąłeś(-ęłaś) tę wiadomość", "Usunąłeś(aś) tę wiadomość"),
    *("Ați șters acest mesaj", "U hebt dit bericht verwijderd", "Je hebt dit bericht verwijderd"),
    *("Du slettet denne meldingen", "Anda telah memadamkan mesej ini", "तुम्ही हा मेसेज हटवला"),
    *("आपण हा संदेश हटविलात", "삭제한 메시지입니다", "이 메시지를 삭제했습니다"),
    *("このメッセージを削除しました", "Ezt az üzenetet törölted", "Törölted ezt az üzenetet"),
    *("Anda menghapus pesan ini", "Anda telah menghapus pesan ini", "Izbrisali ste ovu poruku"),
    *("आपने यह मैसेज डिलीट किया", "आपने यह संदेश मिटाया", "તમે આ મેસેજ ડિલીટ કર્યો"),
    *("તમે આ સંદેશને રદ્દ કર્યો", "Scrios tú an teachtaireacht seo", "Poistit tämän viestin"),
    *("شما این پیام را حذف کردید", "Du har slettet denne besked", "Du slettede denne besked"),
    *("Tuto zprávu jste smazal/a", "Tuto zprávu jste odstranil/a"),
    *("Has suprimit aquest missatge", "Has esborrat aquest missatge", "Binura mo itong mensahe"),
    *("Jūs izdzēsāt šo ziņu", "Сіз бұл хатты жойдыңыз", "Siz ushbu xabarni o‘chirdingiz"),
    *("To sporočilo ste izbrisali", "Umefuta ujumbe huu", "இத்தகவலை தாங்கள் அழித்தீர்கள்"),
    *("Jūs ištrynėte šią žinutę", "Kustutasid selle sõnumi", "Изтрихте това съобщение"),
    *("Jy het boodskap uitgevee", "Siz bu ismarıcı sildiniz", "ഈ സന്ദേശം നിങ്ങൾ ഇല്ലാതാക്കി"),
    *("Ја избриша оваа порака", "ನೀವು ಈ ಸಂದೇಶವನ್ನು ಅಳಿಸಿದ್ದೀರಿ", "Обрисао/ла си ову поруку"),
    *("ਤੁਸੀਂ ਇਹ ਸੁਨੇਹਾ ਹਟਾਇਆ",),
)
_DELETED_BY_AN_ADMIN = re.compile(
    r"This message was deleted by (?:an )?admin.{0,100}|"
    r"Diese Nachricht wurde von (?:einem )?Admin.{0,100} gelöscht|"
    r"Este mensaje fue eliminado por (?:un |el )?admin.{0,100}",
    re.IGNORECASE,
)
_MISSED_CALLS = _phrases(
    *("Missed voice call", "Missed video call", "Missed group voice call"),
    *("Missed group video call", "שיחה קולית שלא נענתה", "שיחת וידאו שלא נענתה"),
    *("Пропущенный аудиозвонок", "Пропущенный видеозвонок", "Appel vocal manqué"),
    *("Appel vidéo manqué", "Chiamata vocale persa", "Videochiamata persa"),
    *("Chamada de voz perdida", "Videochamada perdida", "Chamada de vídeo perdida"),
    *("Llamada perdida", "Llamada de voz perdida", "Videollamada perdida"),
    *("Αναπάντητη φωνητική κλήση", "Αναπάντητη βιντεοκλήση", "Αναπάντητη κλήση"),
    *("Пропущений аудіодзвінок", "Пропущений відеодзвінок", "Verpasster Sprachanruf"),
    *("Verpasster Videoanruf", "مكالمة صوتية فائتة", "مكالمة فيديو فائتة", "ভয়েস কল মিস করেছেন"),
    *("ভিডিও কল মিস করেছেন", "未接語音通話", "未接语音通话", "未接視像通話", "未接视频通话"),
    *("Cuộc gọi nhỡ", "Cuộc gọi nhỡ video", "مسڈ وائس کال", "مسڈ ویڈیو کال"),
    *("Cevapsız sesli arama", "Cevapsız görüntülü arama", "สายที่ไม่ได้รับ"),
    *("วิดีโอคอลที่ไม่ได้รับ", "สายโทรวิดีโอที่ไม่ได้รับ", "Missat röstsamtal"),
    *("Missat videosamtal", "Zmeškaný hovor", "Zmeškaný hlasový hovor", "Zmeškaný videohovor"),
    *("Nieodebrane poł. głosowe", "Nieodebrane poł. wideo", "Nieodebrane połączenie"),
    *("Apel vocal ratat", "Apel video ratat", "Apel vocal nepreluat", "Apel video nepreluat"),
    *("Gemist spraakgesprek", "Gemist videogesprek", "Gemiste spraakoproep"),
    *("Gemiste video-oproep", "Tapt taleanrop", "Tapt videoanrop", "Tapt videosamtale"),
    *("Panggilan suara terlepas", "Panggilan video terlepas", "मिस्ड व्हॉइस कॉल"),
    *("मिस्ड व्हिडिओ कॉल", "부재중 전화", "부재중 영상통화", "音声通話不在着信", "不在着信"),
    *("ビデオ通話不在着信", "Nem fogadott hanghívás", "Nem fogadott videohívás"),
    *("Nem fogadott videóhívás", "Panggilan suara tak terjawab", "Panggilan video tak terjawab"),
    *("Propušteni glasovni poziv", "Propušteni videopoziv", "Propušten glasovni poziv"),
    *("Propušten video poziv", "मिस्ड वॉइस कॉल", "मिस्ड वीडियो कॉल", "છૂટી ગયેલો વોઇસ કૉલ"),
    *("છૂટી ગયેલ વિડિયો કૉલ", "Vastaamaton äänipuhelu", "Vastaamaton videopuhelu"),
    *("تماس صوتی پاسخ داده نشده", "تماس تصویری پاسخ داده نشده", "Ubesvaret taleopkald"),
    *("Ubesvaret videoopkald", "Mistet opkald", "Trucada de veu perduda", "Videotrucada perduda"),
    *("Trucada de vídeo perduda", "Nakaligtaang voice call", "Nakaligtaang video call"),
    *("Neatbildēts balss zvans", "Neatbildēts video zvans", "Жауапсыз қоңырау"),
    *("Жауапсыз видео қоңырау", "Zgrešen klic", "Neodgovorjen video klic"),
    *("Simu ya sauti uliyoikosa", "Simu ya video uliyoikosa", "தவறிய குரல் அழைப்பு"),
    *("Praleistas balso skambutis", "Praleistas video skambutis", "Vastamata häälkõne"),
    *("Vastamata videokõne", "Пропуснато гласово обаждане", "Пропуснато видео обаждане"),
    *("Stemoproep gemis", "Video-oproep gemis", "Buraxılmış zəng", "Buraxılmış video zəng"),
    *("Пропуштен гласовен повик", "Пропуштен видео повик", "Пропуштен гласовни позив"),
    *("Пропуштен видео позив", "Thirrje e shmangur", "Videothirrje e shmangur"),
)
_EDITED = _phrases(
    *("This message was edited", "Diese Nachricht wurde bearbeitet", "Se editó este mensaje"),
    *("Este mensaje se editó", "Este mensaje fue editado", "Ce message a été modifié"),
    *("Mensagem editada", "Esta mensagem foi editada", "Questo messaggio è stato modificato"),
    *("Dit bericht is bewerkt", "Данное сообщение изменено", "Это сообщение изменено"),
    *("Bu mesaj düzenlendi", "Ta wiadomość została zmieniona", "ההודעה נערכה"),
)
_EDITED_MARK = re.compile(rf"<[{MARKS}]*([^<>\n]{{1,40}})>[{MARKS}\s]{{0,8}}\Z")
_EDITED_LENGTH = 60  # characters at the end of a text among which the mark is
_ENCRYPTED = (  # the beginnings of the notice at the top of a chat
    *("Messages and calls are ", "Messages to this chat and calls are ", "Messages to this group"),
    *("Messages you send to this ", "Nachrichten und Anrufe sind Ende-zu-Ende", "ההודעות והשיחות"),
    *("Nachrichten in diesem Chat ", "Nachrichten an diese Gruppe ", "Los mensajes y las llamadas"),
    *("Los mensajes que envías", "Les messages et les appels", "Les messages que vous envoyez"),
    *("As mensagens e as chamadas", "As mensagens e chamadas", "As mensagens e ligações"),
    *("I messaggi e le chiamate", "I messaggi inviati", "Berichten en gesprekken "),
    *("Berichten en oproepen ", "Сообщения и звонки", "Сообщения, которые вы отправляете"),
    *("Mesajlar ve aramalar", "Повідомлення й дзвінки", "Τα μηνύματα και οι κλήσεις"),
    *("Meddelanden och samtal", "Správy a hovory", "Zprávy a hovory", "Wiadomości i połączenia"),
    *("Mesajele și apelurile", "Meldinger og samtaler", "Beskeder og opkald", "Viestit ja puhelut"),
    *("Az üzenetek és hívások", "Pesan dan panggilan", "Mesej dan panggilan", "Poruke i pozivi"),
    *("Els missatges i les trucades", "Tin nhắn và cuộc gọi", "الرسائل والمكالمات", "訊息和通話"),
    *("訊息已受端對端加密", "消息和通话", "메시지 및 전화", "メッセージと通話"),
    *("मैसेजेस और कॉल्स", "मेसेजेस आणि कॉल्स", "মেসেজ এবং কল", "ข้อความและการโทร", "پیامها و تماسها"),
)
_ENCRYPTION_WORDS = re.compile(
    r"encr[iy]pt|crypté|chiffré|cifra|protegid|criptogra|crittogra|verschlüssel|versleutel|krypter|"
    r"kryptera|шифр|şifre|zabezpe|šifro|szyfro|criptat|salataan|titkos|enkrip|enkript|disulitkan|"
    r"xifra|mã hóa|مشفر|加密|암호화|暗号|מוצפנ|एन्क्रिप|এনক্রিপ|เข้ารหัส|رمزگذاری|κρυπτογραφ|secured",
    re.IGNORECASE,
)
_NO_NAME = re.compile(  # a notice with a colon in it: what stands before it is no name
    r" (?:created (?:this )?group|changed (?:the|this) (?:subject|group|description)|"
    r"changed this group's|hat die Gruppe|hat den (?:Betreff|Gruppennamen)|creó (?:el|este) grupo|"
    r"cambió el (?:asunto|nombre)|a créé le groupe|a changé (?:l[’']objet|le nom)|criou o grupo|"
    r"mudou o (?:assunto|nome)|alterou o (?:assunto|nome)|ha creato il gruppo|"
    r"ha cambiato l[’']oggetto|heeft (?:de )?groep|heeft het onderwerp|"
    r"создал(?:\(-а\)|а)? группу)\b"
)
ENCRYPTED_BEGIN = frozenset(phrase[:4] for phrase in _ENCRYPTED)  # without marks
NOTICES = _DELETED | _DELETED_BY_ITS_AUTHOR | _MISSED_CALLS  # that stand alone, comparable


def is_deletion(text: str) -> bool:
    """Whether the text stands in place of a message that somebody deleted."""
    plain = comparable(text)
    if plain in _DELETED or plain in _DELETED_BY_ITS_AUTHOR:
        return True
    return "admin" in plain and _DELETED_BY_AN_ADMIN.fullmatch(plain) is not None


def is_missed_call(text: str) -> bool:
    return comparable(text) in _MISSED_CALLS


def without_edited_mark(text: str) -> str | None:
    """The text before the mark of editing at its end; None if it has none."""
    rest = len(text) - min(len(text), _EDITED_LENGTH)
    match = _EDITED_MARK.search(text, rest)
    if match is None or comparable(match[1]) not in _EDITED:
        return None
    return text[: match.start()].rstrip().rstrip(MARKS).rstrip()


def is_encryption_notice(text: str) -> bool:
    """The first thing that a chat says, under its own name on the iPhone."""
    bare = text.lstrip(MARKS)
    if bare[:4] not in ENCRYPTED_BEGIN:
        return False
    return bare.startswith(_ENCRYPTED) and _ENCRYPTION_WORDS.search(bare[:200]) is not None


def reads_like_notice(name: str) -> bool:
    """What stands before a colon is the beginning of a notice, and no name."""
    return _NO_NAME.search(name) is not None

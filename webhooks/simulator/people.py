"""The simulated customers: who they are and what they say. Data only, made up for the demo.

Their numbers come from ranges kept for fiction where a country has such, and lead nowhere elsewhere.
"""

from dataclasses import dataclass

from webhooks.simulator.state import Peer


@dataclass(frozen=True, slots=True)
class Person:
    peer: Peer
    # Each dialogue is what the person says, line by line; the next line waits for our answer.
    dialogues: tuple[tuple[str, ...], ...]


def _person(name: str, wa_id: str, *dialogues: tuple[str, ...], bsuid: str = "", username: str = "") -> Person:
    return Person(Peer(wa_id=wa_id, bsuid=bsuid, username=username, name=name), dialogues)


PEOPLE: tuple[Person, ...] = (
    _person(
        "Maya Thompson",
        "12025550143",
        (
            "Hi, is the Saturday maths group still open?",
            "Great. My daughter is in year 5, is that all right?",
            "Thanks!",
        ),
        ("Good morning, we can't find the link for today's lesson 😕", "Found it, it was in spam. Sorry!"),
    ),
    _person(
        "Budi Santoso",
        "6281255500101",
        (
            "Halo, apakah pembayaran saya sudah masuk?",
            "Saya transfer kemarin malam lewat BCA.",
            "Baik, terima kasih 🙏",
        ),
        ("Selamat siang, boleh minta jadwal ujian minggu depan?", "Siap, sudah saya catat."),
    ),
    _person(
        "Ana Beatriz Souza",
        "5511955500102",
        ("Oi! Vocês têm aula de reforço de matemática? 😊", "É para o 7º ano.", "Perfeito, muito obrigada!"),
        ("Olá, preciso remarcar a aula de quinta.", "Pode ser sexta às 16h?", "Combinado 👍"),
    ),
    _person(
        "Diego Hernández",
        "5215555500103",
        ("Buenas tardes, ¿cuánto cuesta el curso de inglés?", "¿Y hay descuento para hermanos?", "Muchas gracias."),
    ),
    _person(
        "山田 花子",
        "819055500104",
        (
            "こんにちは。体験レッスンを予約したいのですが。",
            "土曜日の午前中は空いていますか？",
            "ありがとうございます！",
        ),
    ),
    _person(
        "王小明",
        "8613855500105",
        ("你好，请问期末考试几点开始？", "可以用平板电脑参加吗？", "明白了，谢谢老师。"),
    ),
    _person(
        "สมชาย ใจดี",
        "66815550106",
        ("สวัสดีครับ ขอสอบถามเรื่องใบเสร็จหน่อยครับ", "ขอเป็นชื่อบริษัทได้ไหมครับ", "ขอบคุณครับ 🙏"),
    ),
    _person(
        "प्रिया शर्मा",
        "919855500107",
        ("नमस्ते, मेरे बेटे की कक्षा का समय बदल सकता है क्या?", "शाम 6 बजे ठीक रहेगा।", "धन्यवाद!"),
    ),
    _person(
        "ليلى حداد",
        "971505550108",
        ("مرحبا، هل يمكن تغيير موعد الدرس إلى الغد؟", "الساعة الخامسة مناسبة لنا.", "شكراً جزيلاً 🌷"),
    ),
    _person(
        "Oleksandr Melnyk",
        "380505550109",
        ("Добрий день! Чи можна отримати запис уроку?", "Дякую, вже бачу."),
    ),
    _person(
        "Ingrid Vestergaard",
        "4555500110",
        ("Hej, min søn kunne ikke logge på eksamen i morges.", "Det virker nu. Tak for hjælpen!"),
    ),
    _person(
        "Ngọc Anh",
        "84905550111",
        ("Chào trung tâm, học phí tháng này là bao nhiêu ạ?", "Em đã chuyển khoản rồi nhé.", "Dạ em cảm ơn."),
    ),
    _person(
        "김서연",
        "821055500112",
        ("안녕하세요, 성적표는 언제 나오나요?", "네, 알겠습니다. 감사합니다!"),
    ),
    _person(
        "Tolu",
        "",
        (
            "Hello, I found you through a friend. Do you teach physics?",
            "Evenings are best for me.",
            "Perfect, thank you.",
        ),
        bsuid="NG.13491208655302741918",
        username="@tolu.reads",
    ),
)

NUMBERED = tuple(person for person in PEOPLE if person.peer.wa_id)

# What somebody says who has no dialogue of their own, by country code; the longest prefix wins.
THANKS: dict[str, tuple[str, ...]] = {
    "": ("Thanks!", "Okay, got it 👍", "Perfect, thank you.", "One moment, I'll check."),
    "62": ("Baik, terima kasih 🙏", "Oke siap", "Sebentar ya kak"),
    "55": ("Obrigado!", "Tá bom 👍", "Um momento, por favor."),
    "52": ("¡Gracias!", "Perfecto 👍", "Un momento, por favor."),
    "54": ("¡Gracias!", "Dale, genial 👍"),
    "34": ("Gracias.", "Vale, perfecto."),
    "33": ("Merci beaucoup !", "D'accord, un instant."),
    "49": ("Danke!", "Alles klar 👍"),
    "81": ("ありがとうございます。", "承知しました。"),
    "82": ("감사합니다!", "네, 알겠습니다."),
    "86": ("好的，谢谢！", "稍等一下。"),
    "66": ("ขอบคุณครับ", "โอเคค่ะ"),
    "84": ("Dạ em cảm ơn.", "Vâng ạ."),
    "91": ("धन्यवाद!", "ठीक है 👍"),
    "971": ("شكراً!", "تمام 👍"),
    "966": ("شكراً جزيلاً", "لحظة من فضلك"),
    "20": ("شكراً!", "ماشي 👍"),
    "380": ("Дякую!", "Добре 👍"),
}


def thanks_for(wa_id: str) -> tuple[str, ...]:
    prefixes = (wa_id[:length] for length in (3, 2, 0))
    return next(THANKS[prefix] for prefix in prefixes if prefix in THANKS)

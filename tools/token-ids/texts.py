"""Texts that tokenizers disagree about: scripts of the world, odd Unicode, white space, code, spellings of control tokens."""

import random

SENTENCES = [
    "All human beings are born free and equal in dignity and rights.",
    "Tous les êtres humains naissent libres et égaux en dignité et en droits.",
    "Alle Menschen sind frei und gleich an Würde und Rechten geboren.",
    "Todos los seres humanos nacen libres e iguales: ¿quién lo niega?",
    "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności.",
    "Tất cả mọi người sinh ra đều được tự do và bình đẳng.",
    "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar; İstanbul'da ılık.",
    "Все люди рождаются свободными и равными в своём достоинстве и правах.",
    "Усі люди народжуються вільними і рівними у своїй гідності.",
    "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια.",
    "Բոլոր մարդիկ ծնվում են ազատ ու հավասար։",
    "ყველა ადამიანი იბადება თავისუფალი და თანასწორი.",
    "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם.",
    "שָׁלוֹם עֲלֵיכֶם",
    "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق.",
    "ٱلسَّلَامُ عَلَيْكُمْ ۖ ١٢٣٤",
    "تمام انسان آزاد اور حقوق و عزت کے اعتبار سے برابر پیدا ہوئے ہیں۔",
    "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता प्राप्त है। १२३",
    "সমস্ত মানুষ স্বাধীনভাবে সমান মর্যাদা এবং অধিকার নিয়ে জন্মগ্রহণ করে।",
    "மனிதப் பிறிவியினர் சகலரும் சுதந்திரமாகவே பிறக்கின்றனர்.",
    "ప్రతిపత్తిస్వత్వముల విషయమున మానవులెల్లరును జన్మతః స్వతంత్రులును సమానులును నగుదురు.",
    "ಎಲ್ಲಾ ಮಾನವರೂ ಸ್ವತಂತ್ರರಾಗಿಯೇ ಜನಿಸಿದ್ದಾರೆ.",
    "മനുഷ്യരെല്ലാവരും തുല്യാവകാശങ്ങളോടും അന്തസ്സോടും സ്വാതന്ത്ര്യത്തോടുംകൂടി ജനിച്ചവരാണ്.",
    "සියලු මනුෂ්‍යයෝ නිදහස්ව උපත ලබා ඇත.",
    "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์ ๑๒๓",
    "ມະນຸດທຸກຄົນເກີດມາມີສິດເສລີພາບ",
    "လူတိုင်းသည် တူညီ လွတ်လပ်သော ဂုဏ်သိက္ခာဖြင့် မွေးဖွားလာသူများ ဖြစ်သည်။",
    "មនុស្សទាំងអស់កើតមកមានសេរីភាព",
    "འགྲོ་བ་མིའི་རིགས་རྒྱུད་ཡོངས་ལ་སྐྱེས་ཙམ་ཉིད་ནས་",
    "人人生而自由，在尊严和权利上一律平等。",
    "人人生而自由，在尊嚴和權利上一律平等。",
    "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。ﾊﾝｶｸ",
    "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    "የሰው ልጅ ሁሉ ሲወለድ ነጻና በክብርና በመብትም እኩልነት ያለው ነው።",
    "ᏂᎦᏓ ᎠᏂᏴᏫ ᏂᎨᎫᏓᎸᎾ",
    "ᠬᠦᠮᠦᠨ ᠪᠦᠷ",
    "ⵉⵎⴷⴰⵏⵏ ⴰⴽⴽⵯ ⵜⵜⵍⴰⵍⴰⵏ",
    "𐌰𐌻𐌻𐌰𐌹 𐌼𐌰𐌽𐌽𐌰 𝒜𝓁𝓁 𝔥𝔲𝔪𝔞𝔫𝔰 𝟙𝟚𝟛 Ａｌｌ",
]

ODD = [
    "", " ", "  ", "   ", "\n", "\n\n", "\n\n\n", "\t", "\t\t", "\r\n", "\r", " \n", "\n ", " \n ", "a ", " a", " a ", "  a  b   c    d",
    "a\nb", "a\n\nb", "a \n b", "a\r\nb\r\n\r\nc", "a\tb\t\tc", "\u00a0a\u00a0b", "\u2003a\u2009b", "a\u200bb\u200cc\u200dd", "\ufeffa",
    "\u3000全角　空白", "a\u0085b", "a\u2028b\u2029c", "\x00", "a\x01\x02\x03\x04\x05\x06\x07b", "\x7f\x80\x9f", "\x1b[31mred\x1b[0m",
    "é", "e\u0301", "Å", "A\u030a", "\u212b", "\u1e69", "s\u0323\u0307", "s\u0307\u0323", "\u1112\u1161\u11ab", "한", "ﬁ ﬂ ﬃ", "①②③ Ⅷ ½ ⅔ ²³",
    "\u0344", "\u0958", "\u0915\u093c", "\u2126", "\u0301a", "<b>\u0338", "ǅ ǈ ǋ", "İi̇ıI", "ß ẞ SS", "a\u0300\u0301\u0302\u0303\u0304",
    "🙂", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫🇷", "☺️ ☺︎", "🦙🦙🦙", "😀😃 😄", "🧑🏿‍🚀!", "\U0010ffff", "\ue000", "\ufffd", "\ufdd0",
    "0", "12", "123", "1234", "12345", "123456", "1234567", "3.14159", "1,234,567.89", "2026-11-30T09:05:01Z", "+49 (0)30 123-456", "1e-7", "0xDEADBEEF",
    "٣٤٥٦", "१२३४", "１２３４", "5kg", "x2y33z444", "1st 2nd 3rd", "$9.99 €5 £6 ¥7", "50%", "a1b2",
    "I'm you're he's we've they'll I'd don't", "I'M YOU'RE HE'S WE'VE THEY'LL I'D DON'T", "I’m you’re don’t", "'s 't 're", "'S 'LL", "rock'n'roll's",
    "\"quoted\" 'single' «guillemets» „Gänse“ “curly”", "...", "…", "----", "— – -", "!?!?", "(a)[b]{c}<d>", "a/b\\c", "#tag @user", "user@example.com",
    "https://example.com/a?b=c&d=%20#e", "C:\\Users\\me", "/usr/local/bin", "__init__", "snake_case camelCase PascalCase SCREAMING_CASE kebab-case",
    "helloWorld HelloWORLD HTMLParser iPhone", "ΑΒΓ αβγ ΑβΓ", "ÀÉ àé ÀéÈ", "Ünïcödé", "naïve façade — Zoë",
    "def f(x):\n    if x:\n        return x  # yes\n\treturn None\n", "for (int i = 0; i < n; ++i) {\n\t\ta[i] += b[i];\n}\n",
    "{\"a\": [1, 2, {\"b\": null}], \"c\": \"\\u00e9\"}", "SELECT * FROM t WHERE a='b';", "<div class=\"x\"><p>Hi &amp; bye</p></div>",
    "<table><tr><td>1</td></tr></table>", "<b>bold</b> <i>it</i> <code>x</code> <s>old</s> <ul><li>a</li></ul>", "<h1>T</h1><br/><img>", "# Title\n\n* a\n* b\n\n1. c\n",
    "| a | b |\n|---|---|\n| 1 | 2 |\n", "```rust\nfn main() {}\n```", "E = mc^2, ∑ᵢ xᵢ² ≤ ∞, ∀x∈ℝ", "∂f/∂x ≈ 0", "←↑→↓ ⇒", "█▓▒░", "┌─┐│└┘",
    "<|im_end|>", "<|im_start|>user\nhi<|im_end|>", "<|eot_id|>", "<|begin_of_text|>", "<|endoftext|>", "<|end|>", "<|user|>\nhi", "<s>", "</s>", "<s>a</s>", "<unk>",
    "<bos>", "<eos>", "<pad>", "<start_of_turn>user\nhi<end_of_turn>\n", "[INST] hi [/INST]", "<0x0A>", "<0x41>", "▁", "a▁b", "▁▁▁", "Ġ", "aĠbĊ", "<｜end▁of▁sentence｜>",
    "< |im_end|>", "<|im_end|", "|im_end|>", "<|im_", "<unused5>", "<tool_call>", "<think>x</think>", "<|file_sep|>", "[PAD151700]",
    "Marcus will write a test by Thursday; Dana calls the bank at 3 pm.", "The quick brown fox jumps over the lazy dog.",
    "Donaudampfschifffahrtsgesellschaftskapitän", "antidisestablishmentarianism", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "hahahahahaha", "zzzz ZZZZ",
]

RANGES = [(0x20, 0x7E), (0xA0, 0x24F), (0x250, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x530, 0x58F), (0x590, 0x5FF), (0x600, 0x6FF), (0x900, 0x97F), (0x980, 0x9FF),
          (0xB80, 0xBFF), (0xC00, 0xC7F), (0xD00, 0xD7F), (0xE00, 0xE7F), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1200, 0x137F), (0x13A0, 0x13FF), (0x1E00, 0x1FFF),
          (0x2000, 0x206F), (0x2070, 0x218F), (0x2190, 0x23FF), (0x2500, 0x27BF), (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0xFB00, 0xFDCF),
          (0xFE00, 0xFE6F), (0xFF00, 0xFFEF), (0x10400, 0x1044F), (0x1D400, 0x1D7FF), (0x1F300, 0x1F64F), (0x1F900, 0x1F9FF), (0x20000, 0x2A6DF)]
SPACES = [" ", "  ", "   ", "    ", "\n", "\n\n", "\n\n\n", "\t", "\t\t", "\r\n", " \n", "\n  ", "\u00a0", "\u3000", " " * 9, " " * 40, "\n" * 35, "\t" * 33]
MARKS = [".", ",", "!", "?", ":", ";", "-", "'", "\"", "(", ")", "'s", "'ll", "'T", "/", "\\", "_", "#", "0", "7", "12", "345", "6789", "<b>", "</td>", "<|im_end|>", "\u0301"]


def word(chance):
    low, high = chance.choice(RANGES)
    return "".join(chr(chance.randint(low, high)) for _ in range(chance.randint(1, 6)))


def mixture(chance):
    """Words of sentences and random ones, joined by white space and marks."""
    words = [piece for sentence in SENTENCES for piece in sentence.split()]
    pieces = []
    for _ in range(chance.randint(1, 7)):
        pieces.append(chance.choice(words) if chance.random() < 0.6 else word(chance))
        pieces.append(chance.choice(SPACES if chance.random() < 0.6 else MARKS))
    return "".join(pieces)


def texts(mixtures, seed):
    chance = random.Random(seed)
    runs = [unit * count for unit in [" ", "\n", "\t", "a", "=", "-", ".", "0", "é", "日", "🙂"] for count in (2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 64)]
    runs += [f"{run}x" for run in runs[:39]] + [f"x{run}y" for run in runs[:39]]
    return SENTENCES + ODD + runs + [mixture(chance) for _ in range(mixtures)]

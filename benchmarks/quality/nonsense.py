"""Queries to which neither a bank's support chat nor #ubuntu holds an answer."""

from __future__ import annotations

STRINGS = (
    "asdfgh", "qwertyuiop", "zxcvbnm,./", "lkjhgf dsapoi", "xqzj vvkp", "7f3a9c1e", "blorptang",
    "wubba snorfle gwib", "aaaaaaaaaaaa", "kjh 23kjh 9sd8f", "!!??!!", "....", "-----------",
    "dfgkjhdfg kdfjhg dkfjgh", "grumfel dix anor petch", "0x1f 0x2e 0x3d", "mmmmm nnnnn ooooo",
    "fnord", "tzktzk prr", "ö ä ü ß", "()()()", "1234567890 0987654321", "hjkl hjkl hjkl",
    "vexing zorp of quandle", "ploomp glarb neen", "e4 e5 nf3 nc6", "x", "zzzzzz zzz",
    "qpwoei rutyal", "bnmbnmbnm",
)  # fmt: skip
SENTENCES = (
    "The mitochondrion is the powerhouse of the cell.",
    "How long should I roast a chicken at two hundred degrees?",
    "The violinist tuned her instrument before the second movement.",
    "Penguins huddle together through the Antarctic winter.",
    "Which emperor built the wall in the north of England?",
    "My tomato plants have yellow leaves again.",
    "The goalkeeper saved two penalties in extra time.",
    "A sonnet has fourteen lines and a turn near its end.",
    "Knead the dough until it is smooth and elastic.",
    "The glacier has retreated four kilometres since 1900.",
    "What did the whale say to the sailor in the novel?",
    "Volcanic soil is good for vineyards.",
    "She wore a green velvet dress to the opera.",
    "How do bees find their way home?",
    "The treaty ended thirty years of war.",
    "Best exercises for a sore lower back",
    "The recipe needs two cups of flour and a pinch of salt.",
    "Is it safe to give my dog grapes?",
    "Jupiter has more than ninety moons.",
    "The ferry to the island leaves at dawn.",
    "Der Hund schläft unter dem Apfelbaum.",
    "Le fromage de chèvre se marie bien avec le miel.",
    "Paint the ceiling before the walls.",
    "The defendant was acquitted on all counts.",
    "Which key is this nocturne written in?",
    "Babies usually walk at around twelve months.",
    "Dinosaurs with feathers were found in Liaoning.",
    "He proposed to her under the cherry blossoms.",
    "The marathon runner collapsed near the finish.",
    "Photosynthesis turns light into sugar.",
)

"""Short texts of many kinds, calibrated on beside the data set's own; knows nothing else.

A catalogue speaks one language in one style, and ranges taken from it alone are too narrow for whatever else will be
encoded: a new kind of item, a review. These widen the ranges and cost the catalogue's own texts next to nothing.
"""

ANCHORS = (
    "The train was late again this morning, so I walked.",
    "She opened the window and looked out over the harbour.",
    "What is the capital of Australia?",
    "Shares fell by 3.5 % after the company lowered its forecast.",
    "Add the onions, stir for two minutes, and season with salt and pepper.",
    "The committee will vote on the proposal next Thursday.",
    "def read(path): return open(path).read()",
    "Error 404: the page you requested could not be found.",
    "I loved this book! The characters felt real, and I could not put it down.",
    "Terrible quality, it broke after one week. Would not buy again.",
    "Photosynthesis turns light, water and carbon dioxide into sugar and oxygen.",
    "Wireless headphones, 40 h battery, black",
    "Der Hund schläft unter dem Tisch.",
    "¿Dónde está la estación de tren más cercana?",
    "Dr. Smith, 42 Baker Street, London NW1 6XE, +44 20 7946 0958",
    "https://www.example.com/search?q=shoes&page=2",
    "The 1998 World Cup final was played in Saint-Denis on 12 July.",
    "Thanks",
    "ok",
    "...",
    "Patients with a history of heart disease should ask a doctor before use.",
    "In the beginning the universe was hot and dense; as it expanded, it cooled, and the first atoms formed.",
    "Learn to play the guitar in 30 days: chords, scales and rhythm for beginners",
    "Season 2, Episode 7: the detective returns to the village and meets an old friend",
    "你好，世界",
    "今日は天気がいいですね。",
    "UPPER CASE TITLE WITH NUMBERS 12345",
    "yoga mat; blue; 6 mm; non-slip",
    "Breaking: storm expected to reach the coast by midnight, officials say",
    "The quick brown fox jumps over the lazy dog.",
    "Terms and conditions apply. See store for details.",
    "Romantic comedy (1999). Drama, Romance",
)

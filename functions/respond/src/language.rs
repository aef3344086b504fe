//! Tells whether a message is in another language than English, which is all that the texts are in.

use unicode_segmentation::UnicodeSegmentation;

/// What is said to who writes in another language, and words that only that language has so often.
const LANGUAGES: &[(&str, &[&str])] = &[
    (
        "Ich kann leider nur auf Englisch antworten. (I can only answer in English.)",
        &[
            "ist", "eine", "ein", "der", "die", "das", "was", "wie", "ich", "und", "nicht", "gegen", "hilft", "kann",
            "warum", "viel", "für", "mein", "meine",
        ],
    ),
    (
        "Lo siento, solo puedo responder en inglés. (I can only answer in English.)",
        &[
            "el", "la", "los", "qué", "que", "es", "una", "cómo", "como", "cuánto", "cuesta", "tengo", "por", "para",
            "está", "puedo", "mi", "estoy", "seguro",
        ],
    ),
    (
        "Désolé, je ne peux répondre qu'en anglais. (I can only answer in English.)",
        &[
            "le", "la", "les", "est", "ce", "qu'est", "que", "une", "je", "suis", "et", "pourquoi", "comment",
            "combien", "mon", "pas", "c'est", "quoi",
        ],
    ),
    (
        "Mi dispiace, posso rispondere solo in inglese. (I can only answer in English.)",
        &["il", "che", "cosa", "è", "una", "come", "sono", "per", "non", "perché", "quanto", "della", "mi", "ho"],
    ),
    (
        "Desculpe, só posso responder em inglês. (I can only answer in English.)",
        &["o", "que", "é", "uma", "como", "não", "eu", "estou", "para", "quanto", "por", "meu", "tenho", "você"],
    ),
    (
        "Sorry, ik kan alleen in het Engels antwoorden. (I can only answer in English.)",
        &["het", "een", "wat", "hoe", "ik", "niet", "en", "waarom", "mijn", "voor", "kan", "heb"],
    ),
];
const OTHERWISE: &str = "I'm sorry, I can only answer in English.";
/// Words that tell a language by themselves.
const TELLING: &[&str] = &[
    "tengo", "estoy", "hola", "cuesta", "ich", "hilft", "warum", "wie", "hallo", "je", "bonjour", "pourquoi", "sono",
    "ciao", "hoe", "waarom", "eu", "tenho", "jestem", "nasıl", "merhaba",
];
/// Words that English has most.
const ENGLISH: &[&str] = &[
    "the", "is", "a", "an", "what", "how", "i", "my", "and", "to", "of", "do", "does", "can", "it", "in", "for", "why",
    "are", "me", "was",
];

/// What is said to who wrote a message in another language; `None` where it is in English, or too short to tell.
pub(crate) fn apology(message: &str) -> Option<&'static str> {
    let foreign = message.chars().filter(|c| c.is_alphabetic() && u32::from(*c) > 0x24F).count();
    let letters = message.chars().filter(|c| c.is_alphabetic()).count();
    if letters > 3 && foreign * 2 > letters {
        return Some(OTHERWISE);
    }
    let words: Vec<String> = message.unicode_words().map(|word| word.to_lowercase().replace('\u{2019}', "'")).collect();
    let count = |known: &[&str]| words.iter().filter(|word| known.iter().any(|known| *word == known)).count();
    let english = count(ENGLISH);
    let marked = message.contains(['¿', '¡']) || message.chars().any(|c| "áéíóúñäöüßàèêëîïôûùçãõ".contains(c));
    let (apology, found) = LANGUAGES
        .iter()
        .map(|(apology, known)| {
            (*apology, count(known) + usize::from(words.iter().any(|word| word.starts_with("qu'"))))
        })
        .max_by_key(|(_, found)| *found)?;
    let enough = if marked || count(TELLING) > 0 { 1 } else { 2 };
    (found >= enough && found > english || marked && english == 0 && words.len() > 1).then_some(apology)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_language_is_told_from_english() {
        for message in [
            "was ist ein liquidity pool?",
            "¿Es seguro Aave?",
            "qu'est-ce que le staking",
            "je suis déprimé",
            "was hilft gegen panikattacken?",
            "tengo una pregunta",
            "что такое ЭКО?",
            "体外受精とは何ですか",
        ] {
            assert!(apology(message).is_some(), "{message}");
        }
        for message in [
            "what is a liquidity pool",
            "was it my fault?",
            "whats la nina",
            "OHSS",
            "Do I die of it?",
            "naïve question: is staking safe",
            "",
        ] {
            assert_eq!(apology(message), None, "{message}");
        }
    }
}

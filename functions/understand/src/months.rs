//! The names of the months, with their abbreviations and common misspellings.

const MONTHS: [[&str; 4]; 12] = [
    ["january", "jan", "januar", "janurary"],
    ["february", "feb", "febuary", "febr"],
    ["march", "mar", "marhc", "mrch"],
    ["april", "apr", "apirl", "aprl"],
    ["may", "may", "may", "may"],
    ["june", "jun", "june", "june"],
    ["july", "jul", "july", "july"],
    ["august", "aug", "agust", "augst"],
    ["september", "sep", "sept", "septemeber"],
    ["october", "oct", "ocotber", "octobre"],
    ["november", "nov", "novemeber", "novmber"],
    ["december", "dec", "decemeber", "decmber"],
];

/// The month that a word names, 1 to 12.
pub fn month(word: &str) -> Option<i8> {
    MONTHS.iter().position(|names| names.contains(&word)).map(|at| at as i8 + 1)
}

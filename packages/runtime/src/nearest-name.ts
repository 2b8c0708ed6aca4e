/** Mistakes that a name may have and still be taken for another one. */
const MOST_MISTAKES = 3
/** Nobody misspells a longer name; comparing it would take a while. */
const LONGEST_NAME = 128

/** The name that somebody meant who wrote this one; undefined where none is like it. */
export function nearestName(written: string, names: Iterable<string>): string | undefined {
  if (written.length > LONGEST_NAME) return undefined
  let nearest: string | undefined
  let fewest = Math.min(MOST_MISTAKES, Math.ceil(written.length / 3)) + 1
  for (const name of names) {
    if (Math.abs(name.length - written.length) >= fewest) continue
    const mistakes = mistakesBetween(written.toLowerCase(), name.toLowerCase())
    if (mistakes >= fewest) continue
    nearest = name
    fewest = mistakes
  }
  return nearest
}

/** What follows a name that is not known: nothing, where no other is like it. */
export function didYouMean(written: string, names: Iterable<string>): string {
  const nearest = nearestName(written, names)
  return nearest === undefined ? '' : `; did you mean ${nearest}?`
}

/** Letters that are missing, too many, or wrong: Levenshtein's distance. */
function mistakesBetween(one: string, other: string): number {
  let before = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (const [index, letter] of [...one].entries()) {
    const row = [index + 1]
    for (let at = 1; at <= other.length; at += 1) {
      const wrong = before[at - 1]! + (other[at - 1] === letter ? 0 : 1)
      row.push(Math.min(wrong, before[at]! + 1, row[at - 1]! + 1))
    }
    before = row
  }
  return before.at(-1)!
}

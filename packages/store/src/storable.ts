/** Text of a client that Postgres can hold: no NUL, and no half of a character. */
export const storable = (text: string): string => text.toWellFormed().replaceAll('\0', '\u{fffd}')

/** As `jsonb` takes it, whatever texts are in it. */
export const storableJson = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) => (typeof each === 'string' ? storable(each) : each))

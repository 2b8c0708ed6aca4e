/** A value of somebody else's file, as part of a sentence. */
export function quoted(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = visible(JSON.stringify(value))
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}

/** A file of others may hold anything; nothing in it may play tricks with the terminal. */
export const visible = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd')

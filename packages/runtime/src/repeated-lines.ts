export type WriteLine = (fields: object, message?: string) => void

export type RepeatedLines = {
  /** Writes the line now, or counts it where the same was written a moment ago. */
  write(kind: string, line: { fields: object; message: string | undefined; write: WriteLine }): void
}

type Line = Parameters<RepeatedLines['write']>[1]
type Kind = { last: Line; unsaid: number }

/** So many kinds are kept apart; what is beyond is written as it comes. */
const MAX_KINDS = 1_000

/**
 * Keeps a fault that comes back a thousand times a second from filling the disk: of each kind one line is written at
 * once and after that one in every interval, with how often it was `repeated` meanwhile.
 */
export function createRepeatedLines(intervalMs: number): RepeatedLines {
  const kinds = new Map<string, Kind>()

  function tell(name: string, kind: Kind) {
    // Quiet for a whole interval: the next one is news again.
    if (kind.unsaid === 0) return void kinds.delete(name)
    const { fields, message, write } = kind.last
    write({ ...fields, repeated: kind.unsaid }, message)
    kind.unsaid = 0
    tellLater(name, kind)
  }

  const tellLater = (name: string, kind: Kind) => void setTimeout(tell, intervalMs, name, kind).unref()

  return {
    write(name, line) {
      const kind = kinds.get(name)
      if (kind) {
        kind.last = line
        kind.unsaid += 1
        return
      }
      line.write(line.fields, line.message)
      if (kinds.size >= MAX_KINDS) return
      const first = { last: line, unsaid: 0 }
      kinds.set(name, first)
      tellLater(name, first)
    },
  }
}

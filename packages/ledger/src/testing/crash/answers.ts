/** What Postgres said to a batch: column by column, the verdict of every operation first, then its figures. */
export type Answer = string[][]

/** The row among the messages of a server, in which each column is an array; none if there is no row. */
export function answerIn(messages: Buffer): Answer {
  for (let at = 0; at < messages.length; at += 1 + messages.readInt32BE(at + 1)) {
    if (messages[at] === 'D'.charCodeAt(0)) return columnsOf(messages.subarray(at))
  }
  return []
}

// Frontend/backend protocol, DataRow: how many columns, then of each the length and the text.
function columnsOf(row: Buffer): Answer {
  const columns: Answer = []
  let at = 7
  for (let left = row.readInt16BE(5); left > 0; left--) {
    const end = at + 4 + row.readInt32BE(at)
    columns.push(
      row
        .toString('latin1', at + 4, end)
        .slice(1, -1)
        .split(','),
    )
    at = end
  }
  return columns
}

/**
 * Answers that were lost and then not given again, where every other one is lost: what was done is not, or not alike. A
 * refusal may become a yes: nobody has heard it, and meanwhile there may be credits.
 */
export function takenBack(answers: readonly Answer[]): string[] {
  const found: string[] = []
  for (let i = 0; i < answers.length; i += 2) {
    const [lost = [], again = []] = inOrder(answers[i], answers[i + 1])
    const stands = lost[0]?.every((verdict, at) => !isDone(verdict) || isSame(lost, again, at))
    if (!stands) found.push(`${i}: ${lost.join(' ')}, then ${again.join(' ')}`)
  }
  return found
}

/** Postgres may notice late that a connection is gone: then what it said there is seen after what it said again. */
function inOrder(...pair: [Answer | undefined, Answer | undefined]): [Answer | undefined, Answer | undefined] {
  const [first, second] = pair.map((answer) => Number(answer?.[DECIDED_AT]?.[0]))
  return first! > second! ? [pair[1], pair[0]] : pair
}

/** The column that tells when a batch was decided; of amendments there is none. */
const DECIDED_AT = 4

const isDone = (verdict: string | undefined): boolean => verdict === '0' || verdict === '1'

/** The columns after the second figure tell of the account as it is by then. */
function isSame([, ...lost]: Answer, [verdicts = [], ...again]: Answer, at: number): boolean {
  return isDone(verdicts[at]) && [0, 1].every((column) => lost[column]?.[at] === again[column]?.[at])
}

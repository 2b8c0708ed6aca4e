/** One process from its start to its end, and what it had to say. */
export type Life = {
  name: string
  startedAt: number
  endedAt: number | undefined
  /** How it ended, and whether that was our doing. */
  exit: { code: number | null; signal: NodeJS.Signals | null } | undefined
  ended: 'by us' | 'told to stop' | 'by itself' | undefined
  toldToStopAt: number | undefined
  lines: number
  /** The most lines that it wrote within one second. */
  mostInASecond: number
  /** How often each message was logged, and the first line of each that is an error. */
  messages: Map<string, number>
  errors: Map<string, string>
  /** Lines that are no log lines: warnings of Node, stacks of what nobody caught. */
  odd: string[]
  lastLines: string[]
}

const KEPT_LINES = 30

export const newLife = (name: string, startedAt: number): Life => ({
  name,
  startedAt,
  endedAt: undefined,
  exit: undefined,
  ended: undefined,
  toldToStopAt: undefined,
  lines: 0,
  mostInASecond: 0,
  messages: new Map(),
  errors: new Map(),
  odd: [],
  lastLines: [],
})

/** Takes each line of a process into its account. */
export function createListener(life: Life, now: () => number): (line: string) => void {
  let second = 0
  let inSecond = 0
  return (line) => {
    life.lines += 1
    const current = Math.floor(now() / 1_000)
    inSecond = current === second ? inSecond + 1 : 1
    second = current
    life.mostInASecond = Math.max(life.mostInASecond, inSecond)
    life.lastLines.push(line)
    if (life.lastLines.length > KEPT_LINES) life.lastLines.shift()

    const message = messageOf(line)
    if (message === undefined) return void (life.odd.length < KEPT_LINES && life.odd.push(line))
    life.messages.set(message, (life.messages.get(message) ?? 0) + 1)
    if (/^(error|fatal) /.test(message) && !life.errors.has(message)) life.errors.set(message, line)
  }
}

const levels: Record<number, string> = { 40: 'warn', 50: 'error', 60: 'fatal' }

type LogLine = { level: number; msg?: string; err?: { code?: unknown; message: string } }

/** What a log line says, without what differs from one to the next; undefined for a line that is none. */
function messageOf(line: string): string | undefined {
  try {
    const { level, msg = '', err } = JSON.parse(line) as LogLine
    return `${levels[level] ?? level} ${msg}${err ? `: ${causeOf(err)}` : ''}`
  } catch {
    return undefined
  }
}

function causeOf({ code, message }: NonNullable<LogLine['err']>): string {
  if (typeof code === 'string') return code
  return message
    .split('\n')[0]!
    .replace(/[a-z]+_\w{26}/g, '…')
    .replace(/\d+/g, '#')
    .slice(0, 80)
}

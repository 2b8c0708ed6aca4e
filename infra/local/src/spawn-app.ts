import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { endsAtOnceBy } from './force-stop.ts'
import { exitOf, stopChild, type Exit } from './processes.ts'

export type AppOptions = {
  /** The TypeScript file to run. */
  entry: string
  /** The app's environment beside PATH and HOME; nothing else of ours is handed down. */
  env: Record<string, string | undefined>
  /** How to call it in messages. */
  name: string
  /** Gets every line that the app writes. */
  onLog?: (line: string) => void
}

export type App = AsyncDisposable & {
  pid: number
  /** Where it listens, for an app that does. */
  port: number | undefined
  /** Where its metrics are, if they are served. */
  metricsPort: number | undefined
  /** The last lines it wrote, at most 500. */
  logs(): string[]
  exited: Promise<Exit>
  kill(signal: NodeJS.Signals): void
  /** Asks the app to finish (SIGTERM), and ends it if it has not after 15 s. */
  stop(): Promise<void>
}

const ReadyMessage = z.object({ type: z.literal('ready'), port: z.int().optional(), metricsPort: z.int().optional() })
const readyWithinMs = 30_000
const keptLines = 500

/** Starts one of our processes and waits until it says that it is ready. It ends when this process ends. */
export async function spawnApp({ entry, env, name, onLog = () => {} }: AppOptions): Promise<App> {
  const { PATH, HOME } = process.env
  const child = spawn(process.execPath, [entry], {
    // In a session of its own: Ctrl-C in the terminal reaches only the launcher, which stops things in order.
    detached: true,
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  endsAtOnceBy(child, 'SIGKILL')
  const exited = exitOf(child)
  const logs = collectLines(child, onLog)
  const silent = once(child, 'close')
  const stop = () => stopGently(child)
  try {
    const { port, metricsPort } = await untilReadyMessage(child, exited)
    const kill = (signal: NodeJS.Signals) => void child.kill(signal)
    return { pid: child.pid ?? 0, port, metricsPort, logs, exited, kill, stop, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    // What it wrote says why.
    await silent
    throw new Error(`The ${name} did not start: ${(error as Error).message}\n${bothEnds(logs())}`, { cause: error })
  }
}

/** The end of an app's log, for an error message. */
export function lastLines(lines: string[], count = 20): string {
  return lines.slice(-count).join('\n') || '(it wrote nothing)'
}

/** All that was written, but for the middle of a long tale: a list of mistakes has its title on top, a crash its cause at the end. */
function bothEnds(lines: string[], count = 20): string {
  const left = lines.length - 2 * count
  if (left <= 0) return lastLines(lines, lines.length)
  return [...lines.slice(0, count), `… ${left} more lines …`, lastLines(lines, count)].join('\n')
}

function untilReadyMessage(child: ChildProcess, exited: Promise<Exit>): Promise<z.infer<typeof ReadyMessage>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready after ${readyWithinMs / 1000} s`)), readyWithinMs)
    const onMessage = (message: unknown) => {
      const ready = ReadyMessage.safeParse(message)
      if (ready.success) settle(() => resolve(ready.data))
    }
    const settle = (end: () => void) => {
      clearTimeout(timer)
      child.off('message', onMessage)
      end()
    }
    child.on('message', onMessage)
    child.once('error', (error) => settle(() => reject(error)))
    void exited.then(({ code, signal }) => settle(() => reject(new Error(`it ended with ${signal ?? `code ${code}`}`))))
  })
}

function collectLines(child: ChildProcess, onLog: (line: string) => void): () => string[] {
  const lines: string[] = []
  for (const input of [child.stdout, child.stderr]) {
    if (!input) continue
    createInterface({ input, crlfDelay: Infinity }).on('line', (line) => {
      lines.push(line)
      if (lines.length > keptLines) lines.shift()
      onLog(line)
    })
  }
  return () => [...lines]
}

async function stopGently(child: ChildProcess): Promise<void> {
  await stopChild(child, [
    ['SIGTERM', 15_000],
    ['SIGKILL', 5_000],
  ])
}

import type { Exit } from './processes.ts'

export type Log = (line: string) => void

/** A database server that runs until it is disposed. */
export type RunningServer = AsyncDisposable & {
  url: string
  /** Name and version, as the server tells it. */
  version: string
  port: number
  /** The server's process; undefined if it runs in a container. */
  pid: number | undefined
  /** Resolves when the server ends, also unexpectedly; never for one in a container. */
  exited: Promise<Exit>
}

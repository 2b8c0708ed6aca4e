import type { Chunk, ChoiceResult, ServiceError, Usage } from '@weir/contracts'

/** Reads one stream, event by event. It never throws: what it cannot read is its `failure`. */
export type EventReader = {
  read(event: { event?: string | undefined; data: string }): Chunk[]
  /** A finish reason has come. */
  readonly finished: boolean
  /** The stream has said that it is over. */
  readonly ended: boolean
  readonly failure: ServiceError | undefined
}

/** How a kind of backend is understood; `@weir/dialects` has one for each. */
export type Protocol = {
  createEventReader(asked: { choices: number }): EventReader
  readAnswer(body: unknown): { choices: ChoiceResult[]; usage: Usage | undefined }
  readError(status: number, body: unknown): ServiceError
}

/** One call as it goes over the wire. */
export type Call = {
  path: string
  headers: Record<string, string>
  body: string
  /** What was asked for, which is the most that is believed. */
  choices: number
  maxOutputTokens: number
}

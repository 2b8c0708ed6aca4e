/** A command that cannot go on. The message is for the operator: what happened and what to do. */
export class CommandFailure extends Error {
  /** 1: the server refused or failed. 2: the command was wrong, and nothing was sent. */
  readonly exitCode: 1 | 2

  constructor(exitCode: 1 | 2, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'CommandFailure'
    this.exitCode = exitCode
  }
}

export const usageFailure = (message: string): CommandFailure => new CommandFailure(2, message)
export const serverFailure = (message: string, cause?: unknown): CommandFailure => new CommandFailure(1, message, cause)

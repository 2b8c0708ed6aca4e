import { inspect } from 'node:util'
import { ConfigError } from './config.ts'
import type { Logger } from './logger.ts'

/** To be called first in a `main.ts`: a process that cannot be configured ends with the message alone, which a stack would bury. */
export function explainConfigErrors(): void {
  endAfter((error) => {
    process.stderr.write(`${error instanceof ConfigError ? error.message : inspect(error)}\n`)
  })
}

/** To be called once there is a log: what ends the process from here on, such as a dependency that is away, is a line in it. */
export function logUncaught(log: Logger): void {
  endAfter((error) => {
    if (error instanceof ConfigError) process.stderr.write(`${error.message}\n`)
    else log.fatal({ err: error }, 'the process ends')
  })
}

function endAfter(tell: (error: unknown) => void): void {
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => {
    tell(error)
    // oxlint-disable-next-line unicorn/no-process-exit -- as Node itself does after an error that nobody caught.
    process.exit(1)
  })
}

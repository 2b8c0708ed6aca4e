import { type Logger as PinoLogger, pino, stdSerializers } from 'pino'

export type Logger = PinoLogger

/** Our own keys and the bearer secrets of others, wherever a library put them into its error text. */
const secrets = /\b(weir_(?:sk|admin)_|sk-|Bearer\s+)[\w.~+/-]{8,}=*/gi
const scrub = (text: string): string => text.replace(secrets, '$1…')

/**
 * JSON lines on stdout. Prompts, answers and headers are never logged: callers name the fields they log; error texts
 * are scrubbed of anything shaped like a key.
 */
export function createLogger(options: { name: string; level: string }): Logger {
  return pino({
    ...options,
    serializers: {
      err(error: unknown) {
        // Anything can be thrown.
        if (!(error instanceof Error)) return { type: typeof error, message: scrub(String(error)) }
        const { type, message, stack, code } = stdSerializers.err(error) as {
          type: string
          message: string
          stack: string
          code?: string
        }
        return { type, code, message: scrub(message), stack: scrub(stack ?? '') }
      },
    },
  })
}

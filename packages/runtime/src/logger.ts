import { type Logger as PinoLogger, levels, pino, stdSerializers } from 'pino'
import { createRepeatedLines } from './repeated-lines.ts'

export type Logger = PinoLogger

/** Our own keys and the bearer secrets of others, wherever a library put them into its error text. */
const secrets = /\b(weir_(?:sk|admin)_|sk-|Bearer\s+)[\w.~+/-]{8,}=*/gi
const scrub = (text: string): string => text.replace(secrets, '$1…')

/** A failure that goes on is told so often, with a count. */
const REPEATED_EVERY_MS = 10_000

/**
 * JSON lines on stdout. Prompts, answers and headers are never logged: callers name the fields they log; error texts
 * are scrubbed of anything shaped like a key. The same failure again and again is one line in every ten seconds.
 */
export function createLogger(options: { name: string; level: string; repeatedEveryMs?: number }): Logger {
  const { name, level, repeatedEveryMs = REPEATED_EVERY_MS } = options
  const repeated = createRepeatedLines(repeatedEveryMs)
  return pino({
    name,
    level,
    hooks: {
      logMethod(inputs, method, lineLevel) {
        const [fields, message] = inputs as unknown as [unknown, string | undefined]
        if (lineLevel < levels.values['warn']! || !hasFailure(fields)) return method.apply(this, inputs)
        repeated.write(`${lineLevel} ${message} ${kindOf(fields.err)}`, {
          fields,
          message,
          write: (...line) => method.apply(this, line as unknown as Parameters<typeof method>),
        })
      },
    },
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

const hasFailure = (fields: unknown): fields is { err: unknown } =>
  typeof fields === 'object' && fields !== null && 'err' in fields

/** The same failure of two completions, or at two ports, is one kind: names and numbers do not count. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  return `${error.name} ${error.message.slice(0, 200).replaceAll(/\S*\d\S*/g, '#')}`
}

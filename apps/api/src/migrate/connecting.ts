import { ConfigError } from '@weir/runtime'

/** Postgres, Appendix A: class 28 is a login that is refused, 3D000 a database that does not exist. The rest is the network. */
const refusals = /^(28|3D000|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ETIMEDOUT)/

/** Who asks in vain is told in a line: a wrong password or a server that is not there. Any other failure passes. */
export function explainConnecting(error: unknown): never {
  const { code, message } = error as { code?: unknown; message?: string }
  if (typeof code === 'string' && refusals.test(code))
    throw new ConfigError(`DATABASE_URL: Postgres cannot be used: ${message || code}`)
  throw error
}

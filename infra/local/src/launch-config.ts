import { resolve } from 'node:path'
import { z } from 'zod'
import type { Secrets } from './secrets.ts'

const Given = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  // The worker takes the port after it.
  WEIR_METRICS_PORT: z.coerce.number().int().min(0).max(65_534).optional(),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('warn'),
  WEIR_ADMIN_KEY: z.string().optional(),
  WEIR_KEY_PEPPER: z.string().optional(),
  WEIR_RECEIPT_KEY: z.string().optional(),
  // A path is meant from where the launcher was started.
  WEIR_CONFIG: z
    .string()
    .optional()
    .transform((path) => path && resolve(path)),
})
export type LaunchConfig = z.infer<typeof Given>

const LaunchConfig = Given.refine((config) => config.PORT === 0 || !metricsPorts(config).includes(config.PORT), {
  error: 'it takes two ports in a row, and PORT is neither of them',
  path: ['WEIR_METRICS_PORT'],
})

/** What the launcher itself reads. An empty variable counts as none. */
export function launchConfig(env: NodeJS.ProcessEnv): LaunchConfig {
  const parsed = LaunchConfig.safeParse(Object.fromEntries(Object.entries(env).filter(([, value]) => value !== '')))
  if (parsed.success) return parsed.data
  throw new Error(`The environment is not right:\n${z.prettifyError(parsed.error)}`)
}

/** Where the API and the worker serve their metrics, if anywhere: two processes cannot share a port. 0 takes a free one. */
export function metricsPorts({ WEIR_METRICS_PORT: port }: Pick<LaunchConfig, 'WEIR_METRICS_PORT'>): number[] {
  return port === undefined ? [] : [port, port && port + 1]
}

// Secrets of backends, our own settings, telemetry, and what a machine behind a proxy needs to reach a backend.
const handedDown = /^WEIR_|_API_KEY$|^OTEL_|^NODE_EXTRA_CA_CERTS$|^(https?|no|all)_proxy$/i

type Env = Record<string, string | undefined>
type Launched = { config: LaunchConfig; stack: { databaseUrl: string; redisUrl: string }; secrets: Secrets; env: Env }

/** The environments of the two apps: what is handed down, where the databases are, and for the API alone its secrets. */
export function appEnv({ config, stack, secrets, env }: Launched): { api: Env; worker: Env } {
  const { LOG_LEVEL, WEIR_CONFIG, PORT } = config
  const [metricsOfApi, metricsOfWorker] = metricsPorts(config)
  const found = Object.fromEntries(Object.entries(env).filter(([name, value]) => value && handedDown.test(name)))
  const { WEIR_ADMIN_KEY: _key, WEIR_KEY_PEPPER: _pepper, WEIR_RECEIPT_KEY: _seed, ...common } = found
  // What runs at Ctrl-C may go on for a moment, but not until the launcher loses patience.
  const worker = {
    WEIR_SHUTDOWN_MS: '10000',
    // Nobody else can ask anything of this machine, and receivers that are tried out are on it.
    WEIR_WEBHOOK_PRIVATE_ADDRESSES: 'true',
    ...common,
    LOG_LEVEL,
    WEIR_CONFIG,
    DATABASE_URL: stack.databaseUrl,
    REDIS_URL: stack.redisUrl,
    HOST: '127.0.0.1',
    // What signing secrets of webhooks are sealed with.
    WEIR_KEY_PEPPER: secrets.keyPepper,
    WEIR_METRICS_PORT: metricsOfWorker?.toString(),
  }
  const ofApi = {
    PORT: String(PORT),
    WEIR_METRICS_PORT: metricsOfApi?.toString(),
    WEIR_ADMIN_KEY: secrets.adminKey,
    WEIR_RECEIPT_KEY: secrets.receiptKey,
  }
  return { worker, api: { ...worker, ...ofApi } }
}

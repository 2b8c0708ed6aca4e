import { BackendConfig, type NamesSecrets, secretNamesOf } from '@weir/contracts'
import type { SecretOf } from './backend.ts'
import { reportSame } from './catalogue-names.ts'
import { type Report, parsed, readableFields } from './catalogue-report.ts'
import { BackendKind, BackendName } from './catalogue-schema.ts'

export type BackendConfigs = Map<string, BackendConfig | 'broken'>

/** The backends of a file by name; a broken one is told from one that is not there. */
export function readBackends(values: Record<string, unknown>, report: Report, secretOf: SecretOf): BackendConfigs {
  const backends: BackendConfigs = new Map()
  const seen = new Map<string, string>()
  for (const [name, value] of Object.entries(values)) {
    const path = ['backends', name]
    parsed(BackendName, name, path, report)
    reportSame(name, path, seen, report)
    backends.set(name, readBackend(value, path, report, secretOf) ?? 'broken')
  }
  return backends
}

function readBackend(value: unknown, path: string[], report: Report, secretOf: SecretOf): BackendConfig | undefined {
  const kind = parsed(BackendKind, value, path, report)?.kind
  const schema = BackendConfig.options.find((option) => option.shape.kind.value === kind)
  if (!schema) return undefined
  const config = parsed<BackendConfig>(schema, value, path, report)
  // What it names is looked for even where something else is wrong with it.
  const read: NamesSecrets & { base_url?: string } = config ?? readableFields(schema, value)

  const { username, password } = read.base_url === undefined ? {} : new URL(read.base_url)
  if (username || password) report([...path, 'base_url'], 'must not hold a secret; name its variable in api_key_env')
  for (const { path: field, name } of secretNamesOf(read)) {
    if (!secretOf(name)) report([...path, ...field], `the environment variable ${name} is not set`)
  }
  return config
}

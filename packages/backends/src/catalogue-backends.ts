import { BackendConfig, secretNamesOf } from '@weir/contracts'
import type { SecretOf } from './backend.ts'
import { type Report, parsed } from './catalogue-report.ts'
import { BackendName } from './catalogue-schema.ts'

export type BackendConfigs = Map<string, BackendConfig | 'broken'>

/** The backends of a file by name; a broken one is told from one that is not there. */
export function readBackends(values: Record<string, unknown>, report: Report, secretOf: SecretOf): BackendConfigs {
  const backends: BackendConfigs = new Map()
  for (const [name, value] of Object.entries(values)) {
    const path = ['backends', name]
    parsed(BackendName, name, path, report)
    const config = parsed(BackendConfig, value, path, report)
    backends.set(name, config ?? 'broken')
    if (!config || config.kind === 'simulated') continue

    const { username, password } = new URL(config.base_url)
    if (username || password) report([...path, 'base_url'], 'must not hold a secret; name its variable in api_key_env')
    for (const { path: field, name: variable } of secretNamesOf(config)) {
      if (!secretOf(variable)) report([...path, ...field], `the environment variable ${variable} is not set`)
    }
  }
  return backends
}

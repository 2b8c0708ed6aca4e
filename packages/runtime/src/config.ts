import { z } from 'zod'
import { didYouMean } from './nearest-name.ts'
import { plainWords } from './plain-words.ts'
import { type SettingName, type Settings, settings } from './settings.ts'

/** The environment does not say what a process needs. The message lists every problem, a line each. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

/** The settings a process asks for, read once at start. Throws a ConfigError that names all that is wrong. */
export function loadConfig<Name extends SettingName>(
  names: readonly Name[],
  env: Record<string, string | undefined>,
): Pick<Settings, Name> {
  const schema = z.object(Object.fromEntries(names.map((name) => [name, settings[name]])))
  // An empty variable is what `NAME= command` and many templates leave behind: unset.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = schema.safeParse(given, { error: plainWords(schema) })

  const problems = Object.keys(given)
    .filter((name) => name.startsWith('WEIR_') && !(name in settings))
    .map((name) => `${name}: is not a setting of Weir${didYouMean(name, Object.keys(settings))}`)
  for (const issue of parsed.error?.issues ?? []) problems.push(`${issue.path.join('.')}: ${issue.message}`)
  if (!parsed.success || problems.length > 0) throw new ConfigError(`Configuration:\n  ${problems.join('\n  ')}`)
  return parsed.data as Pick<Settings, Name>
}

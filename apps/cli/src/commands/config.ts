import type { CatalogueFile } from '@weir/backends'
import { type BackendConfig, secretNamesOf } from '@weir/contracts'
import type { Command } from 'commander'
import { z } from 'zod'
import type { Desk } from '../desk.ts'
import { serverFailure } from '../failure.ts'
import { renderTable } from '../table.ts'

/** `weir config check` */
export function addConfig(program: Command, desk: Desk): void {
  program
    .command('config')
    .description('the model catalogue, weir.yaml')
    .command('check [file]')
    .description('read a catalogue as the API and the workers would at their start, and start nothing')
    .option('--without-secrets', 'do not ask for the environment variables that it names')
    .action(async (typed: string | undefined, { withoutSecrets }: { withoutSecrets?: true }) => {
      const { path, isNamed, secretOf } = desk.catalogue(typed)
      // What reads catalogues is large, and no other command needs it.
      const { checkCatalogue, probeModels } = await import('@weir/backends')
      const file = await checkCatalogue(path, {
        mustExist: isNamed,
        secretOf,
        probe: probeModels,
        withoutSecrets: withoutSecrets === true,
      })
      const checked = checkedOf(file)
      if (checked.ok || desk.isJson()) desk.show(checked, Checked, render)
      if (!checked.ok) throw serverFailure(`${path} cannot be used:\n  ${file.mistakes.join('\n  ')}`)
      for (const warning of file.warnings) desk.remark(`Note: ${warning}`)
      desk.remark(file.isFile ? `${path} is in order.` : `There is no ${path}: Weir serves what it finds, as shown.`)
    })
}

const Checked = z.object({
  ok: z.boolean(),
  mistakes: z.array(z.string()),
  warnings: z.array(z.string()),
  backends: z.array(
    z.object({ name: z.string(), kind: z.string(), base_url: z.string().nullable(), secrets: z.array(z.string()) }),
  ),
  models: z.array(z.object({ id: z.string(), aliases: z.array(z.string()), leads_to: z.array(z.string()) })),
})
type Checked = z.infer<typeof Checked>

function checkedOf({ catalogue, mistakes, warnings }: CatalogueFile): Checked {
  const { backends = new Map<string, BackendConfig>(), models = [], rules = [], auto } = catalogue ?? {}
  const named = auto ? [...rules, auto] : rules
  return {
    ok: catalogue !== undefined,
    mistakes,
    warnings,
    backends: [...backends].map(([name, config]) => ({
      name,
      kind: config.kind,
      base_url: config.kind === 'simulated' ? null : config.base_url,
      secrets: secretNamesOf(config).map((secret) => secret.name),
    })),
    models: [
      ...models.map(({ id, aliases, targets }) => ({
        id,
        aliases,
        leads_to: targets.map(({ backend, model }) => `${backend}/${model}`),
      })),
      ...named.map(({ id, aliases, candidates }) => ({
        id,
        aliases,
        leads_to: candidates.map(({ model }) => model.only ?? model.id),
      })),
    ],
  }
}

const render = ({ backends, models }: Checked, colour: boolean): string =>
  [
    renderTable(
      [{ title: 'backend' }, { title: 'kind' }, { title: 'address' }, { title: 'secrets in' }],
      backends.map(({ name, kind, base_url, secrets }) => [name, kind, base_url ?? '-', secrets.join(' ') || '-']),
      colour,
    ),
    renderTable(
      [{ title: 'model' }, { title: 'other names' }, { title: 'leads to' }],
      models.map(({ id, aliases, leads_to }) => [id, aliases.join(' ') || '-', leads_to.join(' ')]),
      colour,
    ),
  ].join('\n\n')

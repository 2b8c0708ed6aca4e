import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Client } from './client.ts'
import type { Kind } from './mock-backend/answer.ts'
import type { Matrix, Outcome } from './run-matrix.ts'

/** What the matrix found, as it is kept between the run and the page about it. Holds nothing that differs from run to run. */
export type Results = {
  clients: { name: string; packages: string[]; dialect: string; note?: string }[]
  features: { client: string; feature: string; outcome: Record<Kind, string> }[]
  refusals: { client: string; status: number; why: string; tries: string }[]
}

const folder = new URL('../../.weir/', import.meta.url)
const file = new URL('compatibility.json', folder)

export const WORKS = 'works'
export const FAILS = 'fails'

export function resultsOf({ features, refusals }: Matrix, clients: readonly Client[]): Results {
  const inOrder = clients.flatMap(({ name }) => features.filter(({ client }) => client.name === name))
  const cells = Map.groupBy(inOrder, ({ client, feature }) => `${client.name}: ${feature.name}`)
  return {
    clients: clients.map(({ name, packages, dialect, note }) => ({
      name,
      packages: packages.map(withVersion),
      dialect,
      ...(note === undefined ? {} : { note }),
    })),
    features: [...cells.values()].map((both) => ({
      client: both[0]!.client.name,
      feature: both[0]!.feature.name,
      outcome: Object.fromEntries(both.map(({ backend, outcome }) => [backend, wordFor(outcome)])) as Record<
        Kind,
        string
      >,
    })),
    refusals: refusals.map(({ client, refusal: { status, why }, outcome }) => ({
      client: client.name,
      status,
      why,
      tries: outcome.kind === 'works' ? String(outcome.value.tries) : FAILS,
    })),
  }
}

export function keepResults(results: Results): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, JSON.stringify(results))
}

export const keptResults = (): Results => JSON.parse(readFileSync(file, 'utf8')) as Results

const wordFor = (outcome: Outcome): string =>
  outcome.kind === 'works' ? WORKS : outcome.kind === 'not' ? outcome.why : FAILS

const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  dependencies: Record<string, string>
}

/** `openai-4` is another name for a version of `openai`. */
function withVersion(name: string): string {
  const version = dependencies[name] ?? ''
  return version.startsWith('npm:') ? version.slice('npm:'.length) : `${name}@${version}`
}

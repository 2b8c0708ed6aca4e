import type { AnthropicConfig, OpenAiConfig } from '@weir/contracts'
import type { SecretOf } from './backend.ts'

type VendorConfig = OpenAiConfig | AnthropicConfig

/** The headers that the catalogue adds to every call; a value that is a secret is read by the name of its variable. */
export function configuredHeaders({ headers = {} }: VendorConfig, secretOf: SecretOf): Record<string, string> {
  const all: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    const text = typeof value === 'string' ? value : secretOf(value.env)
    if (text !== undefined) all[name.toLowerCase()] = text
  }
  return all
}

export const contentHeaders = { 'content-type': 'application/json', accept: 'text/event-stream' }

/** The path of a call below the base URL, with the query that the catalogue adds. */
export function pathOf(config: VendorConfig, path: string): string {
  const base = new URL(config.base_url).pathname.replace(/\/+$/, '')
  const query = new URLSearchParams(config.query).toString()
  return `${base}${path}${query && `?${query}`}`
}

import type { OpenAiConfig } from '@weir/contracts'

/** Whether OpenAI itself answers there, also as Azure sells it, rather than a server that speaks its protocol. */
export function isOpenAiItself({ base_url }: Pick<OpenAiConfig, 'base_url'>): boolean {
  const { hostname } = new URL(base_url)
  return /^([\w.-]+\.)?api\.openai\.com$|\.(openai|cognitiveservices|services\.ai)\.azure\.com$/.test(hostname)
}

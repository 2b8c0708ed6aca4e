import { z } from 'zod'
import type { LocalFile } from './first-account.ts'

const Models = z.object({ data: z.array(z.object({ id: z.string() })).min(1) })

type Served = { metricsPort: number | undefined }

/** What to do now: the address, the key, and lines to paste. */
export async function greeting({ url, apiKey }: LocalFile, apps: { api: Served; worker: Served }): Promise<string> {
  const model = await firstModel(url, apiKey)
  const metrics = [apps.api, apps.worker].flatMap(({ metricsPort }) =>
    metricsPort === undefined ? [] : `http://127.0.0.1:${metricsPort}/metrics`,
  )
  return [
    '',
    `  Weir     ${url}`,
    `  Docs     ${url}/docs`,
    `  API key  ${apiKey}`,
    ...(metrics.length > 0 ? [`  Metrics  ${metrics.join(' (API), ')} (worker)`] : []),
    '',
    '  For other terminals:',
    '',
    `export WEIR_URL=${url} WEIR_API_KEY=${apiKey}`,
    '',
    '  Ask for a completion:',
    '',
    curl(url, apiKey, { model, messages: [{ role: 'user', content: 'Hello' }] }),
    '',
    '  Watch it being written:',
    '',
    curl(url, apiKey, { model, stream: true, messages: [{ role: 'user', content: 'Hello' }] }, '-N '),
    '',
    '  Ctrl-C stops everything; the data stays in .weir/',
    '',
  ].join('\n')
}

async function firstModel(url: string, apiKey: string): Promise<string> {
  const headers = { authorization: `Bearer ${apiKey}` }
  const response = await fetch(`${url}/v1/models`, { headers, signal: AbortSignal.timeout(15_000) })
  if (!response.ok) throw new Error(`GET /v1/models answered ${response.status}`)
  return Models.parse(await response.json()).data[0]?.id ?? ''
}

// On one line and unindented, so that it survives copying from any terminal.
function curl(url: string, apiKey: string, body: object, flags = ''): string {
  const headers = `-H 'Authorization: Bearer ${apiKey}' -H 'Content-Type: application/json'`
  return `curl ${flags}${url}/v1/chat/completions ${headers} -d '${JSON.stringify(body).replaceAll("'", "'\\''")}'`
}

import { usageFailure } from './failure.ts'
import type { LocalFile } from './local-file.ts'

/** A server as its customers see it: with an API key, or with none for what anybody may read. */
export type CustomerServer = { url: string; apiKey: string | undefined }

type Named = { url?: string | undefined; apiKey?: string | undefined }

/** Options before environment before the local file, whose key goes to no other server. */
export function chooseCustomer(options: Named, environment: Named, local: () => LocalFile | undefined): CustomerServer {
  const named = options.url ?? environment.url
  const key = options.apiKey || environment.apiKey
  const file = named === undefined || !key ? local() : undefined

  const url = named ?? file?.url
  if (!url) throw usageFailure('No server is known. Pass --url, set WEIR_URL, or run this where npm start is running.')
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) throw usageFailure(`'${url}' is not an http or https URL.`)
  const isLocal = file !== undefined && withoutSlash(file.url) === withoutSlash(url)
  return { url: withoutSlash(url), apiKey: key || (isLocal ? file.apiKey : undefined) }
}

const withoutSlash = (url: string): string => url.replace(/\/+$/, '')

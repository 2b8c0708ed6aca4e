import { usageFailure } from './failure.ts'
import type { LocalFile } from './local-file.ts'

export type Server = { url: string; adminKey: string; keyFrom: string }

type Named = { url?: string | undefined; adminKey?: string | undefined }

/** The server to speak to: options before environment before the local file. */
export function chooseServer(options: Named, environment: Named, local: () => LocalFile | undefined): Server {
  const namedUrl = options.url ?? environment.url
  const file = local()

  const url = namedUrl ?? file?.url
  if (!url) throw usageFailure(`No server is known. ${howToName}`)
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) throw usageFailure(`'${url}' is not an http or https URL.`)

  const server = { url: withoutSlash(url) }
  if (options.adminKey) return { ...server, adminKey: options.adminKey, keyFrom: '--admin-key' }
  if (environment.adminKey) return { ...server, adminKey: environment.adminKey, keyFrom: 'WEIR_ADMIN_KEY' }
  // The local key opens the local server and goes to no other.
  if (file && withoutSlash(file.url) === server.url) return { ...server, adminKey: file.adminKey, keyFrom: file.path }
  throw usageFailure(`There is no admin key for ${url}. Pass --admin-key or set WEIR_ADMIN_KEY.`)
}

const withoutSlash = (url: string): string => url.replace(/\/+$/, '')

const howToName =
  'Pass --url and --admin-key, set WEIR_URL and WEIR_ADMIN_KEY, or run this inside a checkout where npm start is running.'

import { Redis } from 'ioredis'

type Settings = {
  password: string
  port: number
  bind: string
  dir: string
  files: { log: string; pid: string }
}

/** What our Redis runs with. Nothing may be evicted: a queue that forgets jobs is worse than one that refuses them. */
export function redisConfig({ password, port, bind, dir, files }: Settings): string {
  const lines = [
    `bind ${bind}`,
    `port ${port}`,
    `requirepass ${password}`,
    'daemonize no',
    `dir ${quoted(dir)}`,
    `pidfile ${quoted(files.pid)}`,
    `logfile ${quoted(files.log)}`,
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
  ]
  return `${lines.join('\n')}\n`
}

export function redisUrl(password: string, port: number): string {
  return `redis://:${password}@127.0.0.1:${port}`
}

/** Asks the server once; its name and version if it answers. */
export async function redisAnswers(url: string): Promise<string | undefined> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 2_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.ping()
    const info = await client.info('server')
    const valkey = /^valkey_version:(\S+)/m.exec(info)?.[1]
    return valkey ? `Valkey ${valkey}` : `Redis ${/^redis_version:(\S+)/m.exec(info)?.[1]}`
  } catch {
    return undefined
  } finally {
    client.disconnect()
  }
}

function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&')}"`
}

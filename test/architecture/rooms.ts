const base = ['@weir/dialects', '@weir/runtime', '@weir/contracts']
const engines = ['@weir/ledger', '@weir/store', '@weir/queue', '@weir/relay', '@weir/backends', '@weir/webhooks']

/** Which rooms a room may import. A room that is not here is refused: draw it in docs/architecture.md first. */
const rooms: Record<string, readonly string[]> = {
  '@weir/contracts': [],
  '@weir/runtime': ['@weir/contracts'],
  '@weir/dialects': ['@weir/contracts'],
  '@weir/outbound': ['@weir/runtime', '@weir/contracts'],
  ...Object.fromEntries(engines.map((engine) => [engine, ['@weir/outbound', ...base]])),
  '@weir/completions': [...engines, '@weir/outbound', ...base],
  ...Object.fromEntries(
    ['@weir/api', '@weir/worker', '@weir/cli', '@weir/dashboard'].map((app) => [
      app,
      ['@weir/completions', ...engines, '@weir/outbound', ...base],
    ]),
  ),
  '@weir/local': ['@weir/runtime', '@weir/contracts'],
  // Dialects for the schemas alone: they say what the fuzz tests may expect.
  '@weir/test': ['@weir/local', '@weir/runtime', '@weir/contracts', '@weir/dialects'],
}

export const isRoom = (name: string): boolean => name in rooms

export const mayImport = (name: string): readonly string[] => rooms[name] ?? []

/** Packages that only these rooms deal with, so that what it promises about them holds everywhere. */
export const keepers: Record<string, readonly string[]> = {
  undici: ['@weir/backends', '@weir/outbound'],
  bullmq: ['@weir/queue'],
}

/** What every test may import beside: servers to run on, or to break. */
export const testServers = '@weir/local'

/** Its second door, for tests only. */
export const testingDoor = '@weir/local/testing'

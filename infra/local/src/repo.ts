import { fileURLToPath } from 'node:url'

/** The checkout, and what the launcher reaches in it. */
export const repo = {
  root: pathOf(''),
  state: pathOf('.weir/'),
  migrate: pathOf('apps/api/src/migrate/main.ts'),
  api: pathOf('apps/api/src/main.ts'),
  worker: pathOf('apps/worker/src/main.ts'),
}

function pathOf(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url))
}

import type { TestContext } from 'vitest'

/** What a test opens and must not leave behind, however it ends: also when its time is up and it is not heard of again. */
export function resourcesOf({ onTestFinished }: TestContext): AsyncDisposableStack {
  const resources = new AsyncDisposableStack()
  onTestFinished(() => resources.disposeAsync())
  return resources
}

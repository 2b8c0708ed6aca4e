import type { BackendConfig, Catalogue } from '@weir/contracts'
import type { Backend, SecretOf } from './backend.ts'
import { createOpenAiBackend } from './openai.ts'
import { createSimulatedBackend } from './simulated.ts'
import type { Slots } from './slots.ts'
import { withSlots } from './with-slots.ts'

export type Backends = {
  get(name: string): Backend | undefined
  names(): Iterable<string>
  [Symbol.asyncDispose](): Promise<void>
}

/** Without `slots`, the catalogue's limits on a backend hold within this process only, as a bound on its connections. */
export type BackendsDeps = { secretOf: SecretOf; slots?: Slots }

/** All backends of a catalogue, by name. Disposal closes their connections and cuts off the calls still on them. */
export function createBackends(catalogue: Pick<Catalogue, 'backends'>, deps: BackendsDeps): Backends {
  const backends = new Map<string, Backend>()
  for (const [name, config] of catalogue.backends) backends.set(name, createBackend(name, config, deps))

  return {
    get: (name) => backends.get(name),
    names: () => backends.keys(),
    async [Symbol.asyncDispose]() {
      await Promise.all([...backends.values()].map((backend) => backend[Symbol.asyncDispose]()))
    },
  }
}

function createBackend(name: string, config: BackendConfig, { secretOf, slots }: BackendsDeps): Backend {
  const backend =
    config.kind === 'openai'
      ? createOpenAiBackend(name, config, config.api_key_env && secretOf(config.api_key_env))
      : createSimulatedBackend(name, config)
  return slots && config.slots ? withSlots(backend, slots, config.slots) : backend
}

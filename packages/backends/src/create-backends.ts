import type { BackendConfig, Catalogue } from '@weir/contracts'
import { createAnthropicBackend } from './anthropic.ts'
import type { Backend, SecretOf } from './backend.ts'
import { createOpenAiBackend } from './openai.ts'
import { createSimulatedBackend } from './simulated.ts'
import type { Slots } from './slots.ts'
import { type InlineImages, inlinesImages, refuseAddresses, withInlinedImages } from './with-inlined-images.ts'
import { withSlots } from './with-slots.ts'

export type Backends = {
  get(name: string): Backend | undefined
  names(): Iterable<string>
  [Symbol.asyncDispose](): Promise<void>
}

/** Without `slots`, the catalogue's limits on a backend hold within this process only, as a bound on its connections. */
export type BackendsDeps = {
  secretOf: SecretOf
  slots?: Slots
  /** Needed where a backend says `inline_images: true`. Without it, others that would need it refuse addresses. */
  inlineImages?: InlineImages
}

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

function createBackend(name: string, config: BackendConfig, deps: BackendsDeps): Backend {
  const { secretOf, slots, inlineImages = refuseAddresses } = deps
  const backend = createOfKind(name, config, secretOf)
  const limited = slots && config.slots ? withSlots(backend, slots, config.slots) : backend
  if (config.kind === 'simulated' || !inlinesImages(config)) return limited
  if (config.inline_images && !deps.inlineImages) {
    throw new Error(`the backend ${name} needs images inlined, and nobody is there to fetch them`)
  }
  // Around the slot: nobody waits for one who waits for an image.
  return withInlinedImages(limited, inlineImages)
}

function createOfKind(name: string, config: BackendConfig, secretOf: SecretOf): Backend {
  switch (config.kind) {
    case 'openai':
      return createOpenAiBackend(name, config, secretOf)
    case 'anthropic':
      return createAnthropicBackend(name, config, secretOf)
    case 'simulated':
      return createSimulatedBackend(name, config)
  }
}

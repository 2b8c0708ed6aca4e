import { type CompletionId, KeyId } from '@weir/contracts'
import type { Redis } from '@weir/runtime'
import { relayKeys } from './keys.ts'

/** Listens for completions of this worker that are to be stopped, and returns the channel. A message may be lost: running attempts are checked as well. */
export async function openControl(options: {
  subscriber: Redis
  prefix: string
  worker: string
  onCancel: (id: CompletionId) => void
}): Promise<string> {
  const channel = relayKeys(options.prefix).controlChannelOf(options.worker)
  options.subscriber.on('message', (from: string, id: string) => {
    if (from === channel) options.onCancel(id as CompletionId)
  })
  await options.subscriber.subscribe(channel)
  return channel
}

/** Tells every replica that a key was revoked. A replica that misses it learns by the age of its cache. */
export async function announceRevocation(redis: Redis, prefix: string, keyId: KeyId): Promise<void> {
  await redis.publish(relayKeys(prefix).revocationChannel, keyId)
}

export async function onRevocation(subscriber: Redis, prefix: string, forget: (keyId: KeyId) => void): Promise<void> {
  const { revocationChannel } = relayKeys(prefix)
  subscriber.on('message', (from: string, text: string) => {
    if (from !== revocationChannel) return
    const keyId = KeyId.safeParse(text)
    if (keyId.success) forget(keyId.data)
  })
  await subscriber.subscribe(revocationChannel)
}

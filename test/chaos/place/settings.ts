/** Times so short that a minute holds many recoveries. */
export const common = {
  LOG_LEVEL: 'warn',
  WEIR_REDIS_PREFIX: 'chaos',
  WEIR_DEPENDENCY_TIMEOUT_MS: '1000',
  WEIR_RETENTION_MS: '30000',
  WEIR_SHUTDOWN_MS: '3000',
  // Longer than any completion lives here: what is still open then was forgotten.
  WEIR_RESERVATION_LEASE_MS: '60000',
  // The receiver of webhooks is on this machine.
  WEIR_WEBHOOK_PRIVATE_ADDRESSES: 'true',
}

export const ofApi = {
  HOST: '127.0.0.1',
  PORT: '0',
  WEIR_COMPLETION_TIMEOUT_MS: '20000',
  WEIR_DISCONNECT_GRACE_MS: '1500',
  WEIR_KEEP_ALIVE_MS: '500',
  WEIR_STREAM_STALL_MS: '3000',
  // Nearly every slow reader is served from the replay stream.
  WEIR_STREAM_BUFFER_BYTES: '2048',
}

/** A worker that has been silent for so long has lost its completion. */
export const LOCK_MS = 1_500

export const ofWorker = {
  WEIR_LOCK_MS: String(LOCK_MS),
  WEIR_STALLED_INTERVAL_MS: '500',
  WEIR_WORKER_CONCURRENCY: '12',
  WEIR_BATCH_CONCURRENCY: '8',
  WEIR_BATCH_LINE_TIMEOUT_MS: '20000',
  WEIR_WEBHOOK_RETRIES_MS: '500,1000,2000,4000,8000,8000,8000,8000,8000',
  WEIR_MAX_ATTEMPTS: '6',
  WEIR_FRAME_BYTES: '64',
  WEIR_RECONCILE_INTERVAL_MS: '300',
  WEIR_RECONCILE_AFTER_MS: '3000',
}

/** Credits for a thousand tokens. */
export const PRICE = { input: 1, output: 2, per: 1_000, batch_discount: 50 }

/** The text of the catalogue: one model, on the server of this suite. JSON is YAML. */
export const catalogueOf = (baseUrl: string): string =>
  JSON.stringify({
    backends: { scripted: { kind: 'openai', base_url: baseUrl } },
    models: [
      {
        id: 'words',
        targets: [{ backend: 'scripted', model: 'words' }],
        price: PRICE,
        max_output_tokens: 5_000_000,
        context_window: 10_000_000,
      },
    ],
  })

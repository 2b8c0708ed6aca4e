/** A weir.yaml with one backend for each name and a model of the same name on it, the first by default. Prices are for 1,000 tokens. */
export function catalogueOf(backends: Record<string, object>, models: Record<string, object> = {}): string {
  const entries = Object.keys(backends).map((name) => ({
    id: name,
    targets: [{ backend: name, model: 'words' }],
    price: { input: 1, output: 2, per: 1_000 },
    max_output_tokens: 1_000,
    context_window: 100_000,
    ...models[name],
  }))
  // JSON is YAML.
  return JSON.stringify({ backends, models: entries, default_model: entries[0]?.id })
}

/** Answers at once. */
export const quick = { kind: 'simulated', tokens_per_second: 100_000, latency_ms: 0, output_tokens: 24 }

/** Never answers. */
export const hanging = { ...quick, fault: 'hang' }

export const openai = (upstream: { baseUrl: string }) => ({ kind: 'openai', base_url: upstream.baseUrl })

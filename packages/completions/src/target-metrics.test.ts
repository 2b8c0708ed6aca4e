import { createMetrics } from '@weir/runtime'
import { expect, test } from 'vitest'
import { createTargetMetrics } from './target-metrics.ts'

test('each target tells its calls, its failures, how soon it answers and how its breaker stands', async () => {
  const metrics = createMetrics()
  const { called, failed, answered, breaker } = createTargetMetrics(metrics)

  called('gpu/small')
  called('gpu/small')
  failed('gpu/small', 'backend_error')
  answered('gpu/small', 300)
  for (const state of ['closed', 'half_open', 'open'] as const) breaker(`gpu/${state}`, state)

  const lines = (await metrics.metrics()).split('\n')
  expect(lines).toEqual(
    expect.arrayContaining([
      'weir_target_requests_total{target="gpu/small"} 2',
      'weir_target_failures_total{target="gpu/small",code="backend_error"} 1',
      'weir_target_first_token_seconds_bucket{le="0.25",target="gpu/small"} 0',
      'weir_target_first_token_seconds_bucket{le="0.5",target="gpu/small"} 1',
      'weir_target_breaker_state{target="gpu/closed"} 0',
      'weir_target_breaker_state{target="gpu/half_open"} 1',
      'weir_target_breaker_state{target="gpu/open"} 2',
    ]),
  )
})

import { type Command, Option } from 'commander'
import { WebhookDelivery, WebhookEndpoint, listOf } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { localSeconds } from '../local-time.ts'
import { type Paging, readList, withPaging } from '../read-list.ts'
import { renderTable } from '../table.ts'

type Wanted = { endpoint?: string; state?: string }

/** `weir webhooks list|deliveries` */
export function addWebhooks(program: Command, desk: Desk): void {
  const webhooks = program.command('webhooks').description('where an account is told of what has ended')

  withPaging(webhooks.command('list <account>').description('its endpoints, those that are disabled too')).action(
    async (account: string, paging: Paging) => {
      const answer = await readList(desk, ['accounts', desk.account(account), 'webhook_endpoints'], paging)
      desk.show(answer, listOf(WebhookEndpoint), ({ data }, colour) =>
        renderTable(ofEndpoints, data.map(endpointRow), colour),
      )
    },
  )

  withPaging(webhooks.command('deliveries <account>').description('what was sent, newest first'))
    .option('--endpoint <endpoint>', 'only to this one')
    .addOption(new Option('--state <state>', 'only those').choices(['pending', 'delivered', 'failed']))
    .action(async (account: string, { endpoint, state, ...paging }: Paging & Wanted) => {
      const answer = await readList(desk, ['accounts', desk.account(account), 'webhook_deliveries'], paging, {
        ...(endpoint !== undefined && { endpoint_id: desk.endpoint(endpoint) }),
        ...(state !== undefined && { state }),
      })
      desk.show(answer, listOf(WebhookDelivery), ({ data }, colour) =>
        renderTable(ofDeliveries, data.map(deliveryRow), colour),
      )
    })
}

const ofEndpoints = [{ title: 'id' }, { title: 'name' }, { title: 'url' }, { title: 'enabled' }, { title: 'events' }]

const endpointRow = ({ id, name, url, enabled, disabled_for, event_types }: WebhookEndpoint): string[] => [
  id,
  name,
  url,
  enabled ? 'yes' : `no (${disabled_for ?? 'unknown'})`,
  event_types.join(' '),
]

const ofDeliveries = [
  { title: 'id' },
  { title: 'event' },
  { title: 'about' },
  { title: 'to' },
  { title: 'state' },
  { title: 'attempts', align: 'right' },
  { title: 'next' },
  { title: 'of' },
] as const

const deliveryRow = (delivery: WebhookDelivery): string[] => [
  delivery.id,
  delivery.event.type,
  delivery.event.data.id,
  delivery.url ?? '-',
  delivery.state,
  String(delivery.attempt_count),
  delivery.next_attempt_at === null ? '-' : localSeconds(delivery.next_attempt_at),
  localSeconds(delivery.event.created_at),
]

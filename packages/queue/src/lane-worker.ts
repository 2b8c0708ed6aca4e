import { type Job, type Processor, Worker, type WorkerOptions } from 'bullmq'

/** BullMQ's worker, extended where it means to be, with two things that it does not tell. */
export class LaneWorker extends Worker {
  /** When it last heard whether there is a job for it, be it an error. */
  askedAt: number = performance.now()

  protected override async moveToActive(token: string, name?: string): Promise<Job> {
    try {
      return await super.moveToActive(token, name)
    } finally {
      this.askedAt = performance.now()
    }
  }

  /** Whether `cancelJob` reaches the processor: a job is tracked as BullMQ tracks those it runs, and cancelled. */
  canCancel(): boolean {
    const probe = 'probe'
    const controller = this.lockManager.trackJob(probe, probe, Date.now(), this['processorAcceptsSignal'])
    try {
      return this.cancelJob(probe, probe) && controller?.signal.aborted === true
    } finally {
      this.lockManager.untrackJob(probe)
    }
  }
}

/**
 * A worker that is not fetching yet. BullMQ gives a signal only to a processor that declares three parameters (neither
 * `...rest` nor a default value counts); one without would go on speaking when its lock is lost, so it is refused here.
 */
export function createLaneWorker(queue: string, processor: Processor, options: WorkerOptions): LaneWorker {
  const worker = new LaneWorker(queue, processor, { ...options, autorun: false })
  if (worker.canCancel()) return worker
  void worker.close()
  throw new Error('The jobs of this worker could not be cancelled: BullMQ gives its processor no signal')
}

import { FailureError } from "../../protocol/failure.ts";

/** Whether a device is there, and what to say when it is not. */
export class DeviceLife {
  /** Rejects once the device is lost. */
  readonly #end: Promise<never>;
  #failure: FailureError | undefined;

  constructor(device: GPUDevice) {
    this.#end = device.lost.then(({ message, reason }) => {
      this.#failure = new FailureError("gpu-lost", message === "" ? `the device is ${reason}` : message);
      throw this.#failure;
    });
    // Who waits for nothing is told by the next call.
    this.#end.catch(() => undefined);
  }

  get isLost(): boolean {
    return this.#failure !== undefined;
  }

  /** @throws FailureError `gpu-lost` */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * What the device answers, unless it is lost before.
   * @throws FailureError `gpu-lost`; what the answer throws
   */
  async settled<T>(answer: Promise<T>): Promise<T> {
    // Nobody waits for it any more where the device is lost first.
    answer.catch(() => undefined);
    this.check();
    try {
      return await Promise.race([answer, this.#end]);
    } catch (error) {
      // Answers of a lost device fail in many ways, some of them before the loss is told.
      if (error instanceof DOMException && error.name === "AbortError") return await this.#end;
      throw error;
    } finally {
      this.check();
    }
  }
}

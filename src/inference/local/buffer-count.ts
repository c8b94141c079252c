/** Counts the buffers of all devices of this realm that are made from now on. @returns the most bytes that were there at once */
export function countBuffers(): () => number {
  let now = 0;
  let most = 0;
  const { prototype } = GPUDevice;
  const make: GPUDevice["createBuffer"] = Reflect.get(prototype, "createBuffer");
  prototype.createBuffer = function createBuffer(descriptor: GPUBufferDescriptor): GPUBuffer {
    const buffer = Reflect.apply(make, this, [descriptor]);
    const { size } = buffer;
    const destroy = buffer.destroy.bind(buffer);
    let isThere = true;
    now += size;
    most = Math.max(most, now);
    buffer.destroy = () => {
      if (isThere) now -= size;
      isThere = false;
      return destroy();
    };
    return buffer;
  };
  return () => most;
}

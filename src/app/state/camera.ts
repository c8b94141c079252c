import { decodeQR } from "qr/decode.js";

/** A camera's picture is looked at this often; a person holds still for longer. */
const LOOK_MS = 150;
/** Codes are read from a picture of this width: larger ones take longer and are read no better. */
const LOOK_WIDTH_PX = 640;

function look(video: HTMLVideoElement, canvas: HTMLCanvasElement): string | undefined {
  const { videoWidth, videoHeight } = video;
  if (videoWidth === 0) return undefined;
  const width = Math.min(videoWidth, LOOK_WIDTH_PX);
  const height = Math.round((videoHeight * width) / videoWidth);
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) return undefined;
  context.drawImage(video, 0, 0, width, height);
  try {
    return decodeQR(context.getImageData(0, 0, width, height));
  } catch {
    // No code in this picture.
    return undefined;
  }
}

/**
 * Shows what the camera sees, and hands over the text of each QR code it sees, until `signal` is aborted.
 * @throws DOMException when there is no camera, or the person or the page's policy does not allow it.
 */
export async function watchCamera(
  video: HTMLVideoElement,
  signal: AbortSignal,
  onCode: (text: string) => void,
): Promise<void> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  const stop = (): void => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  if (signal.aborted) {
    stop();
    return;
  }
  video.srcObject = stream;
  await video.play();
  const canvas = document.createElement("canvas");
  const timer = setInterval(() => {
    const text = look(video, canvas);
    if (text !== undefined) onCode(text);
  }, LOOK_MS);
  signal.addEventListener("abort", () => {
    clearInterval(timer);
    stop();
  });
}

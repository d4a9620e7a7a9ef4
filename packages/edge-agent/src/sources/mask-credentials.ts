/**
 * A text in which URLs no longer carry their secrets: `rtsp://user:***@camera`, `?password=***`. Cameras' programs
 * repeat the URL in their complaints, and complaints are logged.
 */
export function maskCredentials(text: string): string {
  return (
    text
      // Up to the last @ before the path: passwords are written with @ in them, wrong as that is.
      .replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*):[^\s/]*@/gi, "$1:***@")
      // Some cameras take them in the path: rtsp://camera/user=admin&password=secret&channel=1
      .replaceAll(/\b(pass|passwd|password|pwd|token|secret)=[^&\s'"]+/gi, "$1=***")
  );
}

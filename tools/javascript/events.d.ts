/** The events that the scripts of static/js hear: those of htmx 2 that we use, and our own. Only for the type check. */

/** What htmx tells of a request before it is sent. */
interface HtmxRequestConfig {
  /** The element that asked. */
  elt: HTMLElement;
  /** What is sent; a field that is set here is sent as text. */
  parameters: Record<string, unknown>;
  /** The event that started the request. */
  triggeringEvent: Event | undefined;
}

/** What htmx tells of a request that was sent, and of the swap after it. */
interface HtmxRequestInfo {
  /** The element that the event is dispatched on. */
  elt: HTMLElement;
  xhr: XMLHttpRequest;
  target: HTMLElement;
  requestConfig: HtmxRequestConfig;
  /** Known after the request only. */
  successful?: boolean;
  /** Of `htmx:beforeSwap`: set to false, nothing is swapped. */
  shouldSwap?: boolean;
}

/** How much of an upload is sent. */
interface HtmxProgress {
  loaded: number;
  total: number;
  lengthComputable: boolean;
}

/** A click on the photo in photo pixels; label 1 includes, 0 excludes. */
interface WallClick {
  x: number;
  y: number;
  label: number;
}

/** A sentence for the alert. */
interface AppError {
  message: string;
  /** The HTTP status, where there was an answer. */
  status?: number;
}

interface GlobalEventHandlersEventMap {
  "htmx:afterRequest": CustomEvent<HtmxRequestInfo>;
  /** Settling and swapping are also reported for content that no request brought. */
  "htmx:afterSettle": CustomEvent<Partial<HtmxRequestInfo>>;
  "htmx:afterSwap": CustomEvent<Partial<HtmxRequestInfo>>;
  "htmx:beforeRequest": CustomEvent<HtmxRequestInfo>;
  "htmx:beforeSend": CustomEvent<HtmxRequestInfo>;
  "htmx:beforeSwap": CustomEvent<HtmxRequestInfo>;
  "htmx:configRequest": CustomEvent<HtmxRequestConfig>;
  "htmx:confirm": CustomEvent<{ elt: HTMLElement }>;
  "htmx:oobAfterSwap": CustomEvent<{ target: Element }>;
  "htmx:responseError": CustomEvent<HtmxRequestInfo>;
  "htmx:sendError": CustomEvent<HtmxRequestInfo>;
  "htmx:swapError": CustomEvent<Partial<HtmxRequestInfo>>;
  "htmx:timeout": CustomEvent<HtmxRequestInfo>;
  "htmx:xhr:progress": CustomEvent<HtmxProgress>;

  "app:error": CustomEvent<AppError>;
  "app:preview": CustomEvent<{ loading: boolean }>;
  "app:status": CustomEvent<{ status: string }>;
  wallclick: CustomEvent<WallClick>;
}

/** Who we are on the guest's network: its gateway, its servers and its neighbours, all at one address of the link. */
import { canonical } from './addresses.js';

/** Locally administered (RFC 7042, 2.1). */
export const OWN_MAC = Buffer.from('02534e505230', 'hex');
/** From the address of the link: RFC 4291, appendix A. */
export const OWN_LINK_LOCAL = canonical('fe80::53:4eff:fe50:5230') ?? '';
/** A local prefix (RFC 4193) for guests that make their addresses from what a router says. */
export const PREFIX = 'fd53:4e50:5230::';

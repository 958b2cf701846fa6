"""Methods: networks and rules that edit a photo by a request."""

package ordering

// AppendEventTx is what every change of an order ends with.
var AppendEventTx = appendEventTx

package catalog

import (
	"fmt"
	"slices"

	"github.com/audelor/halles/internal/money"
)

// Refusal is a no to a change of the catalogue: nothing was changed, and it says what to do.
type Refusal struct {
	Code      RefusalCode
	Message   string   // a French sentence, to show
	Path      []string // the argument that it is about, from the field
	Version   *int     // VERSION_CONFLICT: what the product's is now
	Available *int     // NOT_ENOUGH_STOCK: pieces left, exactly
}

// RefusalCode is a Refusal for programs.
type RefusalCode string

// The refusals.
const (
	VersionConflict    RefusalCode = "VERSION_CONFLICT"
	UnknownProduct     RefusalCode = "UNKNOWN_PRODUCT"
	UnknownCategory    RefusalCode = "UNKNOWN_CATEGORY"
	NameLength         RefusalCode = "NAME_LENGTH"
	DescriptionLength  RefusalCode = "DESCRIPTION_LENGTH"
	PriceOutOfRange    RefusalCode = "PRICE_OUT_OF_RANGE"
	VATRateInvalid     RefusalCode = "VAT_RATE_INVALID"
	SKUInvalid         RefusalCode = "SKU_INVALID"
	DuplicateSKU       RefusalCode = "DUPLICATE_SKU"
	OptionInvalid      RefusalCode = "OPTION_INVALID"
	DuplicateOption    RefusalCode = "DUPLICATE_OPTION"
	TooManyVariants    RefusalCode = "TOO_MANY_VARIANTS"
	NoVariant          RefusalCode = "NO_VARIANT"
	QuantityOutOfRange RefusalCode = "QUANTITY_OUT_OF_RANGE"
	NotEnoughStock     RefusalCode = "NOT_ENOUGH_STOCK"
	DateOutOfRange     RefusalCode = "DATE_OUT_OF_RANGE"
)

// Bounds of what a merchant enters.
const (
	maxName        = 200  // products_name_length
	maxDescription = 4000 // some forty lines
	maxOption      = 60
	maxSKU         = 64
	maxVariants    = 100              // of one product, archived ones too: a shoe in ten sizes and ten colours
	maxPrice       = money.Cents(1e8) // variants_price_positive
	maxStock       = 1_000_000
)

// refuse makes a refusal for the argument at path.
func refuse(code RefusalCode, path []string, format string, args ...any) Refusal {
	return Refusal{Code: code, Path: path, Message: fmt.Sprintf(format, args...)}
}

// under is a path one step or more further down.
func under(path []string, names ...string) []string {
	return append(slices.Clip(slices.Clone(path)), names...)
}

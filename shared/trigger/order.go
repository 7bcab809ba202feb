package trigger

import (
	"cmp"
	"reflect"
	"time"

	"swas-snapshot/shared/snapshot"
)

// exampleOrder is an order that an error message shows as an example.
const exampleOrder = `{"target":"web-1","role":"deploy","key":"build-42"}`

// orderForm is an order as users and pipelines write it.
type orderForm struct {
	Target string  `json:"target"`
	Role   string  `json:"role"`
	Reason string  `json:"reason"`
	Key    *string `json:"key"`
	Time   *string `json:"time"` // of the event, RFC 3339
	MaxAge *string `json:"maxAge"`
	DryRun bool    `json:"dryRun"`
}

// requestForm is the parameters of CreateSnapshot as the API writes them.
type requestForm struct {
	RegionID        string         `json:"RegionId"`
	DiskID          string         `json:"DiskId"`
	SnapshotName    string         `json:"SnapshotName"`
	ClientToken     string         `json:"ClientToken"`
	Tag             []snapshot.Tag `json:"Tag"`
	ResourceGroupID string         `json:"ResourceGroupId"`
}

var (
	orderFields   = formOf(reflect.TypeFor[orderForm]())
	requestFields = formOf(reflect.TypeFor[requestForm]())
)

// delivery is what brought an order: the identity that the order takes unless it has a key of its own, and the time that
// it takes unless it has one.
type delivery struct {
	sender   string
	key      string
	at       time.Time // zero: the delivery has no time
	repeated bool      // by a queue, until the order is done
}

// DecodeOrder decodes an order in the form of this project, {"target","role","reason","key","time","maxAge","dryRun"};
// target is required. With a key, the order has Key and ExplicitKey; Sender, Tenant and Actor are the caller's to fill.
// time is that of the event, in RFC 3339. maxAge is a duration as Go writes it, which may begin with days: "90m", "2d".
// The values of the other fields are checked by [snapshot.Order.Validate]. The error is a [*snapshot.Error] with Code
// [snapshot.CodeMalformed].
func DecodeOrder(data []byte) (snapshot.Order, error) {
	order, err := decodeOrderForm(data)
	return order, expecting(err, "an order such as "+exampleOrder)
}

func decodeOrderForm(data []byte) (snapshot.Order, error) {
	var form orderForm
	if err := StrictJSON(data, &form); err != nil {
		return snapshot.Order{}, err
	}
	if form.Target == "" {
		return snapshot.Order{}, malformed(`field "target" is missing: name a target of snapshots.yaml`)
	}
	order := snapshot.Order{Target: form.Target, Role: form.Role, Reason: form.Reason, DryRun: form.DryRun}
	if form.Key != nil {
		if *form.Key == "" {
			return snapshot.Order{}, malformed(`field "key" is empty: give the ID of the event, or leave the field out`)
		}
		order.Key, order.ExplicitKey = *form.Key, true
	}
	if form.Time != nil {
		if *form.Time == "" {
			return snapshot.Order{}, malformed(`field "time" is empty: give the time of the event, or leave the field out`)
		}
		at, err := parseTime("time", *form.Time)
		if err != nil {
			return snapshot.Order{}, err
		}
		order.Time = at
	}
	if form.MaxAge != nil {
		age, err := parseAge("maxAge", *form.MaxAge)
		if err != nil {
			return snapshot.Order{}, err
		}
		order.MaxAge = age
	}
	return order, nil
}

func decodeRequestForm(data []byte) (snapshot.Order, error) {
	var form requestForm
	if err := StrictJSON(data, &form); err != nil {
		return snapshot.Order{}, err
	}
	if form.DiskID == "" {
		// The core would miss a target, too; here the caller writes the API's own parameters.
		wrong := snapshot.Request{RegionID: cmp.Or(form.RegionID, "cn-hangzhou"), SnapshotName: cmp.Or(form.SnapshotName, "generated"),
			ClientToken: form.ClientToken, Tags: form.Tag, ResourceGroupID: form.ResourceGroupID}.Validate()
		return snapshot.Order{}, snapshot.AsError(wrong)
	}
	return snapshot.Order{
		RegionID:        form.RegionID,
		DiskID:          form.DiskID,
		SnapshotName:    form.SnapshotName,
		ClientToken:     form.ClientToken,
		Tags:            form.Tag,
		ResourceGroupID: form.ResourceGroupID,
	}, nil
}

// decodeOrder decodes an order in either form and gives it its identity.
func decodeOrder(data []byte, from delivery) (*snapshot.Order, error) {
	decode := decodeOrderForm
	if fields := objectOf(data); fields.folds("DiskId") || !fields.folds("target") && fields.onlyOf(requestFields) {
		decode = decodeRequestForm
	}
	order, err := decode(data)
	if err != nil {
		return nil, err
	}
	if order.Time.IsZero() {
		order.Time = from.at
	}
	order.Unread, order.Repeated = true, from.repeated
	if order.ExplicitKey {
		order.Sender = "event"
	} else {
		order.Sender, order.Key = from.sender, from.key
	}
	return &order, nil
}

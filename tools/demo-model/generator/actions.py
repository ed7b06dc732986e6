"""Verb phrases: what a speaker, or someone named, still has to do. Slots in braces are filled from `lexicon` and `words`.

`ACTIONS[domain]` lists phrases that start with a base verb form. A trailing `~` says that the phrase already ends in a
time that belongs to the action itself ("move the demo to Monday"), so that no due date is added after it. VERBS, OBJECTS
and PLACES are joined to more of them: above all, phrases that go on after a preposition which could also begin a due date.
"""

from .frames import NOTHING
from .lexicon import entries

ACTIONS: dict[str, list[str]] = {domain: entries(text) for domain, text in {
    "work": """
send {the} {doc} to {who} | send {who} {the} {doc} | forward {the} {doc} to {who} | email {who} about {the} {topic} | write {the} {doc}
write a note on it | add logging to {the} {software} | write up {the} {doc} | fix {the} {software} | fix the bug in {the} {software}
review {the} {doc} | review {nameS} {doc} | review {nameS} changes | look over {the} {doc} | go over {the} {doc} with {who} | update {the} {doc}
update {the} {software} | clean up {the} {doc} | finish {the} {doc} | finalize {the} {doc} | proofread {the} {doc} | translate {the} {doc}
draft {the} {doc} | draft a {adj} {doc} | prepare {the} {doc} | prepare {the} slides for {the} {event} | print {number} copies of {the} {doc}
print {the} {doc} | scan {the} {doc} | sign {the} {doc} | get {the} {doc} signed | get {the} {doc} from {who} | collect {the} {doc} from {who}
share {the} {doc} with {who} | run it past {who} | show {who} {the} {doc} | run {the} {doc} by {who} | check {the} numbers with {who}
check {the} {doc} for typos | double check {the} {doc} | compare {the} {doc} with last year's | upload {the} {doc} | put {the} {doc} on the shared drive
add {name} to {the} {event} | invite {who} to {the} {event} | set up {the} {event} | set up a call with {who} | set up a meeting with {who} about {the} {topic}
schedule {the} {event} | schedule {the} {event} with {who} | plan {the} {event} | book a room for {the} {event} | book {the} {place}
reserve {the} {place} for {the} {event} | cancel {the} {event} | cancel {the} {event} with {who} | confirm {the} {event} | confirm {the} {event} with {who}
move {the} {event} to {weekday} ~ | push {the} {event} to {weekday} {daypart} ~ | reschedule {the} {event} ~ | order {number} {thing} for {the} {event}
talk to {who} about {the} {topic} | speak with {who} | ask {who} about {the} {topic} | ask {who} for {the} {doc} | ask {who} whether {the} {doc} is ready
check with {who} | check in with {who} about {the} {topic} | follow up with {who} | follow up on {the} {topic} | get back to {who}
get back to {who} about {the} {doc} | ping {who} about {the} {doc} | remind {who} about {the} {event} | tell {who} about {the} {event}
tell {who} that {the} {doc} is ready | let {who} know about {the} {topic} | reply to {nameS} mail | answer {nameS} question about {the} {topic}
onboard {name} | train {name} on {the} {software} | give {name} access to {the} {software} | give {name} feedback on {the} {doc}
interview {name} | hire a {adj} designer | write the job ad | post the job ad | test {the} {software} | test {the} {software} on an old phone
deploy {the} {software} | roll back {the} {software} | restart {the} {software} | look into {the} {software} | look into why {the} {software} is slow
find out why {the} {software} {problem} | figure out {the} {topic} | merge {nameS} pull request | file a ticket for {the} {software}
close the old tickets | back up {the} database | rename the {adj} folder | archive {the} {doc} | measure how long {the} {software} takes
record {the} {event} | take notes at {the} {event} | present {the} {topic} | present {the} {doc} to {who} | rehearse {the} presentation
estimate {the} cost of {the} {topic} | cut the budget for {the} {topic} | approve {the} {doc} | reject {the} {doc} | submit {the} {doc}
hand in {the} {doc} | fill in {the} {doc} | fill out {the} {doc} | sort out {the} {topic} | make a list of {noun} | make a plan for {the} {topic}
pick a name for {the} {topic} | choose a date for {the} {event} | find a date for {the} {event} | find a speaker for {the} {event}
summarize {the} {event} for {who} | collect ideas for {the} {topic} | count the {noun} | order new {thing} | replace the {adj} {noun}
""",
    "sales": """
send {company} {the} {doc} | send them {the} {doc} | send {company} a new quote | call {company} back | call {company} about {the} {doc}
call {name} at {company} | email {company} {the} {doc} | invoice {company} | send the invoice to {company} | chase the payment from {company}
ask {company} for {the} {doc} | ask {company} about {the} {topic} | offer {company} {number} percent off | lower the price for {company}
update the price list | prepare a quote for {company} | prepare the offer for {number} {thing} | get a second quote from {company}
visit {company} | meet {name} from {company} | meet with {company} | set up a demo for {company} | show {company} {the} {software}
check the terms with {who} | negotiate {the} {doc} with {company} | renew the contract with {company}
cancel the contract with {company} | ship the samples to {company} | ship {number} {thing} to {company} | send {name} a sample
send them {number} {thing} | find out who decides at {company} | put together a bundle for {company} | thank {name} for the order
add {company} to the list | log the call with {company} | fix the invoice for {company} | refund {company} | credit {company} {money}
introduce {name} to {company} | answer {companyS} questions | get {companyS} feedback on {the} {doc} | count the stock of {thing}
""",
    "errand": """
pick up {the} {thing} | pick up {the} {thing} from {the} {place} | pick up {the} {thing} at {the} {place} on {street} | pick up {name}
pick up {name} from {the} {place} | drop off {the} {thing} | drop off {the} {thing} at {the} {place} | drop {the} {thing} off at {nameS} place
buy {food} | buy {food} and {food} | buy {food}, {food} and {food} | buy {food}, {food} and the {color} {thing} for {name} | get {food}
get {food} and {food} | get {food}, {food} and {food} from {the} {place} | grab {food} | grab some {food} for {name} | buy {number} {thing}
buy new {thing} | buy a {adj} {noun} | buy a present for {name} | buy a gift for {family} | buy {thing} for {the} {event} | buy stamps
order {the} {thing} | order {number} {thing} | order a new {thing} | order {thing} online | return {the} {thing} | return {the} {thing} to {the} {place}
bring back {the} {thing} | exchange {the} {thing} | bring {the} {thing} | bring {the} {thing} to {the} {place} | bring {the} {thing} to {name}
take {the} {thing} to {the} {place} | take {the} {thing} back | go to {the} {place} | go by {the} {place} | stop by {the} {place} | stop at {the} {place}
swing by {nameS} | mail {the} {thing} | mail {the} {thing} to {name} | post {the} letter | ship {the} {thing} to {name} | wrap {the} {thing}
lend {name} {the} {thing} | borrow {the} {thing} from {name} | give {name} {the} {thing} | give {the} {thing} back to {name}
water {nameS} garden | water the {plant} | feed {nameS} {pet} | charge {the} {thing} | charge the {noun} | pay the bill | pay the rent
pay {the} {noun} bill | pay {name} back | pay {name} {money} | get cash | withdraw {money} | transfer {money} to {name} | top up the bus card
renew {the} passport | renew {the} library books | call {the} {place} | call {the} {place} to change the appointment
call {the} {place} about {the} {thing} | call {the} {place} and ask about {the} {thing} | call {name} | call {name} back | call {group} back
call {group} about {the} {thing} | text {name} | text {name} the address | text {name} about {the} {event} | ask {name} for {nameS} number
look for {the} {thing} | find {the} {thing} | sort the {noun} | empty {the} {place} | clean {the} {thing} | clean {the} {place} | wash {the} {thing}
wash the car | do the laundry | do the dishes | iron the shirts | fold the laundry | vacuum {the} {place} | mop {the} floor | take out the trash
put out the recycling | bring down the boxes | make the bed | tidy up {the} {place} | sweep {the} {place} | pack {the} {thing} | pack {the} bags
unpack the {adj} boxes | lock {the} {place} | close the windows | leave the key with {name} | hide the {noun} | hand {the} {thing} to {name}
""",
    "house": """
fix {the} {thing} | repair {the} {thing} | replace {the} {thing} | replace the {noun} in {the} {place} | close it off | tape the {noun} | paint {the} {place}
paint {the} fence {color} | sand the {noun} | order a new {thing} | order tiles for {the} {place} | measure {the} {place}
measure the {noun} for {the} {thing} | install {the} {thing} | install the new {noun} | hang {the} {thing} | mount {the} {thing} in {the} {place}
assemble {the} {thing} | take down {the} {thing} | move {the} {thing} to {the} {place} | carry {the} {thing} to {the} {place} | throw out {the} {thing}
sell {the} {thing} | get a quote for {the} {thing} | get a quote from {company} | get {number} quotes for the roof | call {group} about {the} {houseproblem}
call {group} about the {noun} | ask {group} about {the} {thing} | let {group} in | let {group} into {the} {place} | show {group} {the} {place}
meet {group} at {the} {place} | check {the} {thing} | check {the} {place} | check the {noun} for {noun} | inspect {the} {place} | test the smoke detectors
clean the gutters | clean out {the} {place} | bleed the radiators | read the meter | turn off the water | turn on the heating | turn down the thermostat
change the filter | change the light bulb in {the} {place} | change the locks | oil the hinges | patch the {noun} | insulate {the} {place}
mow the lawn | trim the hedge | rake the leaves | plant the {plant} | plant {number} {plant} trees | dig up the {plant} | prune the {plant}
cover the {plant} | weed the garden | fill the bird feeder | shovel the driveway | stack the firewood | take photos of {the} {houseproblem}
take a picture of the {noun} | send the pictures to {group} | send {group} {the} photos | pay {group} | pay {group} the rest | sign off on {the} {place}
put up a warning sign | block off {the} {place} | dry out {the} {place} | pour the {adj} concrete | deliver the {noun} | pick out a color for {the} {place}
choose tiles for {the} {place} | look at {the} {thing} | have a look at {the} {place} | redo {the} {place} | finish {the} {place} | finish the wiring in {the} {place}
""",
    "health": """
book the next session | book an appointment with {group} | book a checkup | make an appointment for {the} {bodypart} | call the doctor about {the} {bodypart}
call the clinic | call {group} about the results | pick up the prescription | pick up {medicine} | pick up {medicine} from the pharmacy
bring it over | drop it off | refill the prescription | refill {medicine} | take {medicine} | take {medicine} with food | take {medicine} {small} times a day
take {medicine} for {small} days | swim {number} laps a week | cycle {small} miles a day | go easy on {food} | spend {number} minutes outside every day | cut out {food}
eat less {food} | eat more {food} | drink more water | drink {small} glasses of water | stretch the {bodypart} | ice the {bodypart}
rest the {bodypart} | put cream on the {bodypart} | do the exercises | do the exercises for the {bodypart} | do {small} sets a day
measure my blood pressure | check my blood sugar | keep a diary of the {symptom} | write down when the {symptom} starts | go to bed earlier
get a blood test | get an x-ray of the {bodypart} | get a flu shot | get the vaccine | get new glasses | see a specialist | see {group} about the {symptom}
send the lab results to {who} | fax the referral | ask {who} about side effects | ask for a second opinion | stop taking {medicine}
switch to {medicine} | send the bill to the insurance | bring the insurance card | bring the old pictures | fill in the {adj} form | quit smoking
join a gym | sign up for yoga | sleep on my back | take {name} to the doctor | take {name} to the {place} | drive {name} to {the} {event}
weigh the {noun} every day | change the bandage | remove the stitches | come back for the {event} | get {name} a new {noun}
""",
    "school": """
sign the permission slip | sign {nameS} permission slip | ring the parents of {name} | call {nameS} teacher | email {nameS} teacher about {the} {event}
talk to {group} about {name} | pay for {the} {event} | pay the school fees | collect the money for {the} {event} | collect the forms | hand out the {doc}
book the bus | order the bus for {the} {event} | bring {food} for {the} {event} | bring {the} {thing} to {the} {event}
bake a cake for {the} {event} | bake {number} cookies | sew the costumes | paint the backdrop | help {name} with {the} {noun} | help {name} with the homework
help set up {the} {event} | help clean up after {the} {event} | sign {name} up for {the} {event} | sign {name} up for piano | register {name} for {the} {event}
find {number} helpers | find a sitter for {weekday} {daypart} | drive the kids to {the} {event} | take the kids to {the} {place}
pick up the kids | pick up {name} from {the} {event} | pack {nameS} lunch | pack the lunch boxes | label {the} {thing} | wash {nameS} uniform | buy {name} new shoes
check {nameS} homework | practice spelling with {name} | read with {name} | study for the exam | finish the essay | hand in the essay | print the map
write the invitation | invite {nameS} class | invite the neighbors | call {family} | visit {family} | visit {family} at the hospital | send {family} a card
send {family} the pictures | plan {nameS} birthday | book a table for {small} | book a table at {the} {place} | order the cake | reserve seats for {the} {event}
set the table | make the potato salad | marinate the {food} | cook for {family} | bring {family} some {food} | fix {nameS} bike | wash the {pet}
walk the {pet} | feed the {pet} | take the {pet} to the vet | get the {pet} vaccinated | buy food for the {pet} | clean the {petS} cage | brush the {pet}
give the {pet} the drops | order a collar for the {pet} | find somebody for the {pet}
""",
    "travel": """
book the flight | book the flights to {city} | book the hotel in {city} | book a room in {city} | book a seat on the {adj} train | check in online | check in for the flight
check the visa rules for {city} | renew the passport | apply for the visa | print the boarding passes | print the tickets | get the tickets to {city}
pack the {thing} | pack {thing} and {thing} | pack for {city} | buy travel insurance | change money | exchange {money} | call the hotel | call the airline
call the hotel about {the} {noun} | email the hotel in {city} | ask the hotel for a {adj} room | cancel the hotel in {city} | rent a car in {city} | pick up the rental car
return the rental car | reserve {the} {place} | send {name} the itinerary | send {name} our arrival time | send the address to {name}
give {name} the spare key | stop the mail | download the maps | plan the route | plan the route through {city} | look up trains to {city}
find a parking spot near {the} {place} | order a taxi for {hour} ~ | meet {name} in {city} | meet {name} at the {place} | fill up the tank | check the tires
check the {carpart} | get the {carpart} checked | replace the {carpart} | change the {carpart} | take the car to the garage | wash the van
bring the car to {company} | have the {carpart} fixed | pay the parking ticket | get a new {noun} for the van | load the trailer | unload the truck
""",
    "idea": """
sketch out a first version | draft a page about it | write down the idea | sketch the {noun} | sketch {the} {place} | make a sketch of {the} {noun} | build a small prototype
build a {adj} model | try it with {name} | try it on {weekday} ~ | try out the {adj} version | run it past {name} | show {name} the sketch | ask {name} what {pron} thinks
ask {number} people about it | ask {name} for help with {the} {topic} | talk it over with {name} | look up what {companyS} version costs | look up the {noun}
find out what it costs | find a {adj} example | find {number} volunteers | collect {noun} for it | read the book about {noun} | read {nameS} article
buy the domain | register the name | make a list of names | price it out | run the numbers | test it with {number} customers | record a short video
put up a poster | post about it | write a page on {noun} | interview {name} for it | pitch it to {who} | pitch the {noun} to {company} | file it under {noun}
take {adj} pictures for it | shoot the first episode | mix {food} with {food} | bake a test batch | design a {adj} label | count how many {noun} we have
""",
    "plain": """
deal with it | take care of it | take care of that | look into it | look into that | bring it up again | let them know | let her know | let him know | sort it out | get it done | call her back | call him back | call them back
talk to him about it | talk to her | ask her about it | ask them again | send it over | send it to them | send it to {who} | give it a try | think about it | think it over | write it down | finish it | fix it | fix that | print it
order it | order them online | order more of them | cancel it | check it again | check that | check whether it works | see if it fits | see whether {name} has time | find out more | find out how much it costs | find out when it opens
find someone who can help | find a better one | figure out what happened | figure out who did it | decide what to do with it | decide which one to take | get it back | get a new one | get the rest | get some more | get started on it
get rid of the old one | take it with me | take it to {who} | take the old one down | throw it away | put it back | put it in the car | put them away | move it to {the} {place} | leave it at {nameS} place | return it | replace it | replace both of them
go there again | go back to {the} {place} | go through everything with {who} | go through the list | come by | come over | come back with an answer | stay with {name} | wait for {name} | wake up earlier | be there on time | be at {the} {place} | start earlier
meet {name} | meet {name} there | meet with {who} | see {name} | join the call | join them | help {name} | help {name} with it | help {name} move | say thanks to {name} | thank {name} for the {noun} | apologize to {name} | congratulate {name}
pay for it | pay the rest | pay in advance | sign it | sign everything | fill it out | read it | read it again | read the last part | listen to the recording | watch the video | learn the text | practice | practice it with {name} | try again | try the other one
tell {name} what happened | tell them we're late | tell her it's fine | tell everyone about it | warn {name} about it | explain it to {who} | ask if they can come | ask what they need | ask why it's so expensive | ask where to park | ask how long it takes
keep the receipt | keep an eye on the {noun} | make room for it | make a copy | make a backup | make some {food} | make dinner | make coffee for {small} people | make up my mind | cook something | clean up | set an alarm | open the door for {group}
prepare everything | prepare the rest | handle the {noun} | handle the rest | cover for {name} | take over from {name} | take the minutes | take pictures of everything | drive | drive there with {name} | pick them up | do the rest | do it again | do something about it
""",
    "random": """
{verb} the {adj} {noun} | {verb} the {noun} | {verb} {nameS} {noun} | {verb} {number} {noun} | {verb} {the} {noun} with {who} | {verb} the {noun} for {who}
{verb} the {noun} in {the} {place} | {verb} the {noun} and the {noun} | {verb} a {adj} {noun} | {verb} {the} {doc} | {verb} {the} {thing} | {verb} all the {adj} {noun}
{verb} the {fake} | {verb} {the} {adj} {fake} | send the {fake} to {who} | call {fakeN} about the {noun} | order {number} {fake} | buy {fake}
{verb} it | {verb} them | {verb} it {adv} | {verb} the {noun} {adv} | {verb} our {noun} | {verb} {name} about the {noun} | get the {noun} from {fakeN}
bring the {noun} | check the {noun} | return the {noun} | clean the {noun} | fix the {noun} | order the {noun} | find a {adj} {noun} | buy a {noun}
pick up the {noun} | look at the {adj} {noun} | talk to {who} about the {adj} {noun} | ask {who} about {noun} and {noun} | write about the {noun}
""",
}.items()}

VERBS = entries("""
{verb} | {verb} | {verb} | {verb} | {verb} | take | bring | carry | put | leave | place | store | keep | hide | hang | drop | deliver | send | mail | ship | forward | email | fax | hand | give | show | present | read | write | rewrite | draft | edit | correct | translate | sign | stamp | copy | print | scan | file | sort | count | list | label | pack | unpack | wrap | open | close | lock | unlock | check | double check | inspect | test | try | try out | use | clean | wash | wipe | dust | polish | paint | repaint
fix | repair | mend | glue | sew | tape | replace | swap | change | move | lift | push | pull | roll | turn | install | remove | take down | take out | take apart | put up | put away | put back | put together | set up | switch off | switch on | turn off | turn on | plug in | unplug | charge | refill | fill | fill up | empty | drain | water | feed | cut | trim | chop | cook | bake | fry | boil | freeze | thaw | warm up | serve | taste | buy | get | grab | pick up | fetch | collect | order | reorder | reserve | book
rent | borrow | lend | return | exchange | sell | pay | pay for | pay off | cancel | confirm | renew | extend | postpone | announce | publish | post | share | upload | download | delete | save | back up | record | film | photograph | draw | sketch | design | plan | prepare | organize | host | lead | run | finish | finalize | complete | continue | start | begin | stop | discuss | explain | mention | suggest | propose | recommend | approve | reject | compare | measure | weigh | look up | look at | look through | look after | look for
find | search | search for | ask for | ask about | ask around for | apply for | sign up for | register for | pay into | write to | reply to | respond to | talk about | talk through | think about | think through | work on | go through | go over | go to | go and see | drive to | walk to | cycle to | travel to | visit | call about | complain about | apologize for | report | warn about | follow up on | check up on | catch up on | read up on | bring up | clear up | clear out | sort out | figure out | find out about | work out | fill in | hand in | hand out | send out | send off | give away | give back | throw away | throw out | cut back | cut down | wind up | wrap up | mix | fold | iron | hoover | mop | sweep | shovel | dig up | plant | prune
""")
OBJECTS = entries("""
{the} {noun} | {the} {noun} | {the} {adj} {noun} | {the} {thing} | {the} {doc} | {nameS} {noun} | {nameS} {thing} | {nameS} {doc} | {noun} | {noun} and {noun} | {food} and {noun} | {the} {noun} and {the} {thing} | {the} {thing} and {the} {noun} | {number} {noun} | {small} {adj} {noun} | some {noun} | some more {noun} | all the {noun} | the other {noun} | the rest of the {noun} | a few {noun} | a {adj} {noun} | a new {thing} | a couple of {noun} | the last {noun} | the {color} {thing} | the {noun} {noun} | the {fake} | it | it all | this | that | them all | both {noun} | every {noun} | one more {noun} | another {noun} | {the} {event} | {the} {place} | {the} {software} | {the} {topic} | {noun}, {noun} and {noun} | {food}, {food} and {noun}
""")
PLACES = NOTHING * 14 + entries("""
on the {adj} {noun} | on the {noun} | on {the} {thing} | on {street} | on the {ordinal} floor | on paper | on the phone | on the website | on top of the {noun} | in the {adj} {noun} | in {the} {place} | in the {noun} | in {city} | in a {adj} {noun} | in {color} | in two parts | in the car | by the {noun} | by the {adj} {noun} | by hand | by mail | by phone | by email | by car | by myself | by the {place} | at the {place} | at the {adj} {noun} | at {company} | at {nameS} place | at home | at the door
through {city} | through the {noun} | around the {noun} | over the {noun} | under the {adj} {noun} | behind {the} {place} | next to the {noun} | between the {noun} and the {noun} | from {city} | from the {noun} | from the {adj} {noun} | from {company} | from {who} | to {city} | to {who} | to the {noun} | to the {adj} {noun} | to {the} {place} | for {who} | for {the} {event} | for the {adj} {noun} | for {number} people | for {money} | with {who} | with the {noun} | with a {adj} {noun} | without the {noun} | about the {noun} | about the {adj} {noun} | of {name} | against the {noun} | into the {noun} | onto the {noun} | off the {noun} | out of the {noun} | along the {noun} | as a {noun} | like {name} did | instead of the {noun} | {adv} | again | properly | together | online | carefully | once more | one more time | somewhere else | upstairs | outside | back | there | so that it {problem} | and the {noun} too
""")

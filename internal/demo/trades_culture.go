package demo

// The trades of reading, playing and making. Books are at 5.5 %, the press at 2.1 %
// (CGI art. 278-0 bis and 298 septies).
var cultureTrades = []*trade{
	{
		category: "librairie", naf: "47.61Z", weight: 4, hours: retail, season: school, vat: 550,
		stock: [2]int{0, 12}, lead: [2]int{20, 90}, delivers: 25, area: [2]int{40, 260}, jobs: [2]int{1, 7},
		services: []string{"gift-wrap", "order-by-phone", "readings"},
		names:    []string{"Librairie {nom}", "L'Encre et la Marée", "Ti al Levrioù", "Au Vent des pages", "Librairie du Port", "Le Marque-page de {lieu}", "Bulles d'Armor", "À la lettre œ"},
		about:    []string{"Librairie générale et bretonne à {commune} ; tout livre commandé sous trois jours.", "Littérature, jeunesse, bande dessinée et mer."},
		words:    []string{"Coup de cœur de la librairie.", "Prix unique du livre.", "Édition bretonne.", "Épuisé chez l'éditeur : derniers exemplaires."},
		goods: `
{Les Marins de L'Orient|La Nuit des goémoniers|Un hiver à Groix|Le Phare de Pen-Men|L'Œil du cyclone|Le Bal des coiffes} ; 19,50 ; Édition: grand format, poche 8,90
{Meurtre aux halles de Merville|Le Noyé du Blavet|Ressac|La Marée noire|Disparue à Larmor|« Kenavo, commissaire »} ; 9,90 ; Édition: poche, grand format 20,50
{Poèmes du granit|Chants de la lande|L'âme des abers} ; 14,00
{Histoire de la Compagnie des Indes|Lorient dans la guerre|Port-Louis, citadelle|Les thoniers de Groix} ; 29,00
{Le breton en 40 leçons|Dictionnaire français-breton|Prénoms bretons|Contes du pays vannetais} ; 18,00 ; Présentation: livre, livre et CD 27,00
{La cuisine au blé noir|Algues à table|Beurre !|Le grand livre du kouign-amann} ; 24,90 ; Édition: brochée, reliée 32,00
{Guide des oiseaux de la rade|Champignons de Bretagne|Plantes du littoral|Poissons et coquillages} ; 22,00
{Le GR 34 à pied|Balades en rade|Le pays de Lorient à vélo} ; 14,50
Bande dessinée {« Ar Skraper », t. 1|« Ar Skraper », t. 2|« Les Sardinières »|« Terre-Neuvas »} ; 16,50 ; Édition: courante, de luxe 39,00
Album {Le petit mousse|La baleine qui avait froid|Bonne nuit, petit phare|Loulou le goéland} ; 13,90 ; Présentation: cartonné, souple 7,90
Roman jeunesse {L'Île aux naufrageurs|Le secret du fort|La sirène d'Étel} ; 11,50 ; Édition: poche 6,90, grand format
Cahier de vacances {CP|CE1|CM2|6e} ; 6,50
Manga {« Kaizoku », t. 1|« Kaizoku », t. 2|« Umi », t. 1} ; 7,20 ; Présentation: à l'unité, coffret 3 tomes 21,00
Carte {IGN de Lorient|marine de la rade} ; 13,90 ; 2000
Carnet {ligné|de voyage} ; 9,50 ; 2000
`,
	},
	{
		category: "papeterie", naf: "47.62Z", weight: 3, village: true, hours: early, season: school, vat: 2000,
		stock: [2]int{3, 40}, lead: [2]int{20, 90}, delivers: 15, area: [2]int{30, 130}, jobs: [2]int{1, 4},
		services: []string{"photocopies", "parcel-point", "gift-wrap"},
		names:    []string{"Papeterie {nom}", "Maison de la presse de {lieu}", "Le Porte-plume", "Paper ha Liv", "Tabac-presse {nom}", "La Plume de {prenom}"},
		about:    []string{"Presse, papeterie et fournitures scolaires, à {commune}."},
		words:    []string{"Fabriqué en France.", "Sur la liste de rentrée.", "Existe en d'autres couleurs."},
		goods: `
Cahier {96 pages|192 pages|de musique|de dessin} ; 2,40 ; Format: 17 × 22, 24 × 32 3,40
Stylo {bille|plume|roller|quatre couleurs} ; 3,20 ; Encre: bleue, noire, rouge
Crayons {de couleur|graphite|aquarellables} ; 8,90 ; Boîte: 12, 24 16,50
Feutres {lavables|fins|pinceaux} ; 6,90 ; Boîte: 12, 24 12,50
Agenda {scolaire|de poche|de bureau} ; 12,90 ; Couleur: bleu, rouge
Trousse {simple|double|« Sardine »} ; 11,90 ; Couleur: bleu, rouge
Classeur {A4|A5} ; 4,50 ; Couleur: bleu, rouge, vert
Feuilles {simples|doubles|millimétrées} ; 3,90 ; Lot: 100, 300 9,90
Compas de précision ; 9,90
Calculatrice {collège|lycée} ; 24,90
Colle {en bâton|liquide} ; 1,90
Ramette de papier ; 5,90 ; Grammage: 80 g, 100 g 8,50
Enveloppes {blanches|kraft|bulles} ; 4,20 ; Lot: 20, 50 8,90
Cartes postales {du port|de la citadelle|humoristiques} ; 0,90 ; Lot: 1, 10 8,00
Carte {d'anniversaire|de naissance|de vœux} ; 3,50
Papier cadeau {marin|uni} ; 3,90
Journal {du matin|du dimanche} ; 1,40 ; 210
Magazine {« Mers et Bateaux »|« Bretagne »|« Jardins »} ; 6,90 ; 210
Cartouches d'encre {pour stylo|d'imprimante} ; 4,90
Globe terrestre lumineux ; 39,00
`,
	},
	{
		category: "jouets", naf: "47.65Z", weight: 3, hours: retail, season: toys, vat: 2000,
		stock: [2]int{0, 14}, lead: [2]int{30, 120}, delivers: 25, area: [2]int{50, 320}, jobs: [2]int{1, 6},
		services: []string{"gift-wrap", "birth-list"},
		names:    []string{"Le Coffre à jouets", "Jeux de {lieu}", "C'hoarioù", "La Toupie", "Le Pirate en bois", "Jouets {nom}", "Au Petit Train"},
		about:    []string{"Jouets en bois, jeux de société et loisirs, à {commune}.", "On y joue avant d'acheter, le mercredi."},
		words:    []string{"À essayer en boutique.", "Fabriqué en Europe.", "Pour petits et grands.", "Marquage CE."},
		goods: `
Bateau {pirate|de pêche|télécommandé|à voile} ; 39,90 ; Taille: petit, grand 59,90
Puzzle {phare|carte de Bretagne|Port-Louis|animaux} ; 14,90 ; Pièces: 60, 500 17,90, 1000 21,90
Jeu de société {« La Criée »|« Corsaires »|« Marées »|« L'Embarcadère »|« Korrigans »} ; 29,90 ; Édition: standard, voyage 17,90
Jeu de cartes {des sept familles bretonnes|du menteur|de mémoire} ; 9,90
Peluche {phoque|macareux|mouton|crabe} ; 17,90 ; Taille: 20 cm, 35 cm 29,90
Poupée {bigoudène|de chiffon|baigneur} ; 34,90
Train en bois {premier circuit|avec pont} ; 32,00
Cubes {empilables|alphabet} ; 15,90 ; Pièces: 20, 50 29,90
Dînette {crêperie|marchande|thé} ; 24,90
Figurine {chevalier|sirène|dragon|korrigan} ; 8,90 ; Lot: 1, 3 24,00
Palet breton sur planche ; 45,00
Quilles {de huit|finlandaises} ; 29,90
Cerf-volant {monofil|acrobatique} ; 22,90 ; Couleur: rouge, bleu
Seau, pelle et râteau ; 7,90
Épuisette ; 6,50 ; Taille: petite, grande 9,90
Pâte à modeler {végétale|à paillettes} ; 8,90
Coffret {de chimie|de magie|d'archéologie} ; 27,90
Trottinette {2 roues|3 roues} ; 49,90 ; Couleur: bleue, rouge
Déguisement {pirate|fée|chevalier} ; 29,90 ; Âge: 4-6 ans, 6-8 ans
Doudou musical ; 24,90
Briques à assembler {château|port|ferme} ; 34,90
`,
	},
	{
		category: "disques", naf: "47.63Z", weight: 1, hours: retail, season: gifts, vat: 2000,
		stock: [2]int{0, 6}, lead: [2]int{30, 120}, delivers: 15, area: [2]int{30, 120}, jobs: [2]int{1, 3},
		services: []string{"repair", "gift-wrap"},
		names:    []string{"Musique {nom}", "Le Sillon", "Bombarde & Cie", "Disques du Bout du monde", "Ti ar Sonerezh", "L'Accordéon de {prenom}"},
		about:    []string{"Disques neufs et d'occasion, instruments et réparations, à {commune}."},
		words:    []string{"À écouter en boutique.", "Conseillé par l'équipe.", "Artisans et musiciens d'ici."},
		goods: `
{Chants de marins, vol. 1|Chants de marins, vol. 2|Fest-noz à Quistinic|Bagad de L'Orient en concert|Harpe des îles|Gwerzioù} ; 15,00 ; Support: CD, vinyle 24,00
{Rock du port|Électro-gavotte|« Gast ! » en public|Jazz à Keroman} ; 16,00 ; Support: CD, vinyle 25,00
Bombarde {en si bémol|d'étude} ; 149,00
Biniou kozh ; 690,00
Flûte {irlandaise|à bec|traversière d'étude} ; 14,90
Harmonica {en do|en sol} ; 29,00
Ukulélé {soprano|concert} ; 59,00 ; Couleur: bois, bleu
Guitare {classique|folk} ; 149,00 ; Taille: 3/4, 4/4 169,00
Cordes {de guitare|de violon|de harpe} ; 12,90
Anches de {bombarde|cornemuse|saxophone} ; 9,50 ; Lot: 1, 5 42,00
Diapason ; 8,90
Métronome ; 29,00
Partitions {danses bretonnes|airs du Festival|premiers pas au piano} ; 18,00 ; Présentation: seules, avec CD 24,00 ; 550
Câble jack ; 14,90 ; Longueur: 3 m, 6 m 21,90
Platine vinyle ; 189,00
Brosse antistatique ; 14,00
Pupitre pliant ; 24,90
Casque audio {fermé|ouvert} ; 79,00
Tambour d'enfant ; 24,90
`,
	},
	{
		category: "photo", naf: "47.78C", weight: 1, hours: service, season: gifts, vat: 2000,
		stock: [2]int{1, 12}, lead: [2]int{120, 1440}, delivers: 10, area: [2]int{25, 80}, jobs: [2]int{1, 3},
		services: []string{"id-photos", "repair"},
		names:    []string{"Photo {nom}", "Studio {nom}", "L'Objectif", "Luc'hskeudenn", "La Chambre claire", "Photo Rade"},
		about:    []string{"Tirages, photos d'identité, argentique et réparations, à {commune}."},
		words:    []string{"Préparé dans notre laboratoire.", "Garanti six mois.", "Conseils au comptoir."},
		goods: `
Tirage {brillant|mat} ; 0,45 ; Format: 10 × 15, 13 × 18 0,90, 20 × 30 4,50
Tirage d'art {« Tempête aux Poulains »|« La rade, six heures »|« Halles de Merville »|« Cœur de Groix »} ; 39,00 ; Format: 20 × 30, 40 × 60 79,00
Pellicule {noir et blanc|couleur|diapositive} ; 11,90 ; Sensibilité: 100, 400
Appareil {jetable|instantané} ; 17,90
Film instantané ; 19,90
Album {à pochettes|traditionnel|de naissance} ; 24,90 ; Présentation: cartonné, souple 7,90
Cadre {en bois flotté|noir|blanc} ; 17,90 ; Format: 13 × 18, 20 × 30 24,90, 30 × 40 32,90
Carte mémoire ; 19,90 ; Capacité: 64 Go, 128 Go 29,90
Trépied {de voyage|de table} ; 49,00
Sac photo {étanche|de ville} ; 59,00
Filtre {polarisant|UV} ; 29,00 ; Diamètre: 52 mm, 58 mm, 67 mm
Batterie compatible ; 29,00
Jumelles {marines|compactes} ; 129,00
Mug personnalisé ; 14,90
Calendrier personnalisé ; 22,90
Toile tendue ; 49,00 ; Format: 30 × 40, 50 × 70 79,00
Numérisation {d'un film|de diapositives} ; 15,00
Photos d'identité ; 12,00
Boîtier argentique d'occasion {reflex|télémétrique|compact} ; 149,00
Kit de nettoyage ; 12,90
`,
	},
	{
		category: "loisirs-creatifs", naf: "47.78C", weight: 1, hours: retail, season: gifts, vat: 2000,
		stock: [2]int{2, 24}, lead: [2]int{30, 120}, delivers: 15, area: [2]int{40, 180}, jobs: [2]int{1, 3},
		services: []string{"workshops", "gift-wrap"},
		names:    []string{"L'Atelier de {prenom}", "Couleurs de {lieu}", "Arz ha Micher", "La Palette", "Les Doigts bleus", "Beaux-arts {nom}"},
		about:    []string{"Beaux-arts et loisirs créatifs, ateliers du samedi, à {commune}."},
		words:    []string{"Pour débutants et confirmés.", "Utilisé dans nos ateliers.", "Fabriqué en France."},
		goods: `
Aquarelle {en godets|en tubes} ; 24,90 ; Boîte: 12, 24 44,90
Acrylique {bleu de Groix|blanc titane|ocre|vermillon|vert lande} ; 5,90 ; Contenance: 60 ml, 200 ml 12,90
Pinceau {rond|plat|martre|à lavis} ; 6,90 ; Taille: n° 4, n° 8, n° 12
Carnet {d'aquarelle|de croquis} ; 14,90 ; Format: A5, A4 21,90
Toile sur châssis ; 9,90 ; Format: 30 × 40, 50 × 60 17,90
Argile {blanche|rouge} ; 7,90 ; Poids: 1,5 kg, 5 kg 21,00
Kit {macramé|linogravure|bougie|savon|origami|broderie} ; 22,90 ; Taille: découverte, complet 34,90
Perles {de verre|en bois|nacrées} ; 4,90
Peinture {sur soie|sur porcelaine} ; 6,20 ; Couleur: bleu, rouge, blanc
Mosaïque {de verre|de faïence} ; 11,90
Chevalet {de table|de campagne} ; 39,90
Calligraphie : {plume|encre de Chine|cahier} ; 8,50
Feutrine ; 1,90 ; @couleurs
Pochoirs {celtiques|marins} ; 7,90 ; Format: A5, A4 11,90
Papier {japonais|marbré} ; 3,90
Résine époxy ; 24,90
Tampons {encreurs|en bois} ; 9,90
Pistolet à colle ; 17,90
Gouge à bois ; 14,90
Pastels {secs|à l'huile} ; 17,90
`,
	},
}
